"""Compiled functions call those of their own file only.

numba's cache looks at the file of the outermost function: if that called a compiled function of
another file, a change there would be silently ignored.
"""

import ast
from pathlib import Path

TASKS = Path(__file__).parents[2] / "tasks"


def compiled_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("njit" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def imported(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Local name -> (module, name there) of what a file takes from others of ours."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tasks.")
        for alias in node.names
    }


def test_compiled_functions_stay_in_their_file() -> None:
    paths = sorted(TASKS.rglob("*.py"))
    trees = {
        ".".join(["tasks", *path.relative_to(TASKS).with_suffix("").parts]): ast.parse(
            path.read_text("utf-8")
        )
        for path in paths
    }
    compiled = {(module, f.name) for module, t in trees.items() for f in compiled_functions(t)}
    assert len(compiled) > 10
    for module, tree in trees.items():
        foreign = {name for name, origin in imported(tree).items() if origin in compiled}
        for function in compiled_functions(tree):
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            assert names & foreign == set(), f"{module}.{function.name}"
