"""Oracle data is either there or not asked for: a wrong path is a failure, never a skip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("folder", "code"), [("/no/such/folder", 1), ("", 0)])
def test_a_named_folder_must_be_there(folder: str, code: int) -> None:
    one = "tests/tasks/quality/test_datatrove.py::test_decisions_are_datatroves[c4]"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", one],
        cwd=ROOT,
        env=os.environ | {"CRAWL2CHAT_ORACLES": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout
    assert ("=/no/such/folder is no folder" in run.stdout) == bool(code)
