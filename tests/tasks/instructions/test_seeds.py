import json
from pathlib import Path

import pytest

from tasks.instructions.seeds import OWN_SEED_TASKS, load_seed_tasks, seed_digest, seed_file

TASK = {
    "id": "a",
    "name": "n",
    "instruction": "Name a  river.",
    "instances": [{"input": "", "output": "Rhine"}],
    "is_classification": False,
}


def test_the_projects_own_tasks_load() -> None:
    tasks = load_seed_tasks(seed_file(""))
    assert len(tasks) == 175
    assert sum(task.is_classification for task in tasks) == 25
    assert sum(not task.instances[0].input for task in tasks) == 50


def test_own_tasks_of_a_user_are_read_and_their_content_counts(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text(json.dumps(TASK) + "\n")
    (task,) = load_seed_tasks(seed_file(str(path)))
    assert task.instruction == "Name a river."
    before = seed_digest(str(path))
    path.write_text(json.dumps(TASK | {"id": "b"}) + "\n")
    assert before != seed_digest(str(path)) != seed_digest("")
    assert OWN_SEED_TASKS.name == "seed_tasks.jsonl"


@pytest.mark.parametrize(
    "bad",
    [
        *("{", "[]", "{}"),
        json.dumps(TASK | {"instances": []}),
        json.dumps(TASK | {"instruction": " "}),
    ],
)
def test_a_line_that_is_no_task_is_named(bad: str, tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text(f"{json.dumps(TASK)}\n{bad}\n")
    with pytest.raises(ValueError, match=r"seeds\.jsonl:2: no seed task .*instances"):
        load_seed_tasks(path)


def test_a_file_without_tasks_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(ValueError, match="no seed tasks"):
        load_seed_tasks(tmp_path / "none.jsonl")
