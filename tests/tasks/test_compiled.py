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


def test_compiled_functions_stay_in_their_file() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(TASKS.rglob("*.py"))}
    home = {node.name: path for path, tree in trees.items() for node in compiled_functions(tree)}
    assert len(home) > 10
    for path, tree in trees.items():
        for function in compiled_functions(tree):
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            assert {name for name in names if home.get(name, path) != path} == set(), function.name
