"""Imports run one way; this reads them with `ast` and fails on a breach."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("pipeline_config", "storage", "tasks", "flows")
SHARED_ROOMS = ("tasks.text", "tasks.lm", "tasks.teacher")
STAGES = sorted(
    path.name
    for path in (ROOT / "tasks").iterdir()
    if path.is_dir() and (path / "task.py").exists()
)


def modules() -> dict[str, set[str]]:
    """Each module of the four rooms and the names of all modules that it imports."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = imports_of(path)
    return found


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


MODULES = modules()


def starts(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def breaches(importers: tuple[str, ...], imported: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, names in MODULES.items()
        if starts(module, *importers)
        for name in sorted(names)
        if starts(name, *imported)
    ]


def test_storage_knows_no_stage_no_config_and_no_flow() -> None:
    assert breaches(("storage",), ("tasks", "flows", "pipeline_config")) == []


def test_configuration_imports_pydantic_and_yaml_only() -> None:
    outside = {
        name.split(".")[0]
        for module, names in MODULES.items()
        if starts(module, "pipeline_config")
        for name in names
    } - set(sys.stdlib_module_names)
    assert outside == {"pydantic", "yaml", "pipeline_config"}


def test_stages_know_no_flow() -> None:
    assert breaches(("tasks",), ("flows",)) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage(stage: str) -> None:
    others = tuple(f"tasks.{other}" for other in STAGES if other != stage)
    assert breaches((f"tasks.{stage}",), others) == []


@pytest.mark.parametrize("room", SHARED_ROOMS)
def test_shared_rooms_import_no_stage(room: str) -> None:
    assert breaches((room,), tuple(f"tasks.{stage}" for stage in STAGES)) == []


def test_prefect_stays_in_flows_tasks_and_steps() -> None:
    found = {
        module
        for module, names in MODULES.items()
        if any(starts(name, "prefect") for name in names)
    }
    allowed = {f"tasks.{stage}.task" for stage in STAGES} | {"storage.steps"}
    assert {module for module in found if not starts(module, "flows")} <= allowed


def test_torch_stays_where_models_train_or_sample() -> None:
    found = {
        module
        for module, names in MODULES.items()
        if any(starts(name, "torch", "transformers") for name in names)
    }
    rooms = ("tasks.lm", "tasks.pretrain", "tasks.sft", "tasks.evaluation", "storage.checkpoints")
    assert {module for module in found if not starts(module, *rooms)} == set()


def test_importing_every_flow_loads_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "datasets", "trafilatura", "numba", "scrapy", "pandas"]
    flows = [
        f"flows.{path.stem}" for path in sorted((ROOT / "flows").glob("*.py"))
        if not path.stem.startswith("__")
    ]  # fmt: skip
    code = (
        f"import importlib, sys\nfor name in {flows!r}: importlib.import_module(name)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "[]", result.stderr


def test_every_stage_has_its_configuration() -> None:
    configured = {path.stem for path in (ROOT / "pipeline_config").glob("*.py")}
    assert {*STAGES, "teacher"} - {"corpus"} <= configured  # assembling has nothing to turn


def test_nothing_is_unpickled() -> None:
    unsafe = ("pickle", "cPickle", "cloudpickle", "dill", "shelve", "joblib", "marshal")
    assert breaches(ROOMS, unsafe) == []
