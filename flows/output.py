"""Where everything goes that a run and its libraries print: a log file, not the terminal."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

KEPT_LOGS = 50


@contextlib.contextmanager
def output_to(path: Path) -> Iterator[TextIO]:
    """Sends what this process and its children write to `path`; yields the real output.

    File descriptors are redirected, so warnings of C libraries and of worker processes go there
    too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with path.open("ab") as log, os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding) as real:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield real
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(saved, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)


def new_log(folder: Path, flow: str) -> Path:
    """The log file of a run that starts now; older ones than the last fifty are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: -KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{flow}.log"
