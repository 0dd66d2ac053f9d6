"""Asks datatrove what the tests compare with; it lives in the environment of `make bench`.

CRAWL2CHAT_ORACLES=... .venv/bin/python tests/tasks/quality/record_datatrove.py
"""

import importlib.metadata
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from test_datatrove import ANSWERS, GROUPS, bare_lines, key, oracle_texts, without_blank_lines

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def asked(texts: list[str], *only: str) -> dict[str, list[Any]]:
    """What datatrove says about every text."""
    program = [PYTHON, ROOT / "benchmarks" / "datatrove_filters.py", *only]
    run = subprocess.run(program, input=json.dumps(texts).encode(), capture_output=True, check=True)
    answer: dict[str, list[Any]] = json.loads(run.stdout)
    return answer


def version() -> str:
    """The version that answers."""
    (found,) = importlib.metadata.distributions(
        name="datatrove", path=[str(path) for path in PYTHON.parents[1].glob("lib/*/site-packages")]
    )
    return found.version


def main() -> None:
    """Writes the answers, by the hash of the text."""
    texts = oracle_texts(Path(os.environ["CRAWL2CHAT_ORACLES"]))
    dense = [without_blank_lines(text) for text in texts]
    kept = asked(texts)
    first = asked(dense, "fineweb_v1")["fineweb_v1"]
    left = asked(texts, "c4_texts")["c4_texts"]
    answers = {
        "datatrove": version(),
        "kept": {
            key(text): [group for group in GROUPS if kept[group][number]]
            for number, text in enumerate(texts)
        },
        "kept_by_fineweb_v1": dict(zip(map(key, dense), first, strict=True)),
        "left_by_c4": {
            key(text): None if rest is None else key(bare_lines(rest))
            for text, rest in zip(texts, left, strict=True)
        },
    }
    ANSWERS.write_text(json.dumps(answers, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
