"""One training of fastText in a process of its own; it reads what to do as JSON on standard input.

With fewer than ten threads, fastText 0.9.3 sets only a part of its first vectors and leaves the
others as the memory was: two trainings differ, and garbage ends in "Encountered NaN". So the
process starts with MALLOC_PERTURB_=255, by which glibc hands out zeros, and vectors that are not
set start there. (With another C library they do where a model is large, for that memory is new.)

Imports only the standard library and fastText: it must start quickly, and from anywhere.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ZEROS = {"MALLOC_PERTURB_": "255"}  # the complement of the byte that new memory is filled with
POLL_SECONDS = 0.5


def train_apart(examples: Path, model: Path, settings: dict[str, Any]) -> None:
    """Train in a process that ends with this one; `settings` are those of `train_supervised`.

    Raises:
        ValueError: with what fastText says, when it fails.
    """
    settings = {"input": str(examples), **settings}
    job = {"parent": os.getpid(), "model": str(model), "settings": settings}
    ended = subprocess.run(
        [sys.executable, "-P", __file__],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env={**os.environ, **ZEROS},
        check=False,
    )
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"]
        raise ValueError(f"fastText could not train: {lines[-1]}")


def main() -> None:
    """Train, and save the model."""
    import fasttext

    job = json.load(sys.stdin)
    _end_with(job["parent"])
    fasttext.train_supervised(**job["settings"], verbose=0).save_model(job["model"])


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
