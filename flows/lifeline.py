"""Processes that end with the one that started them, were it killed."""

import os
import signal
import threading
import time
from collections.abc import Callable

POLL_SECONDS = 0.5
GRACE_SECONDS = 6.0
LEAVE_SECONDS = 1.5


def end_with_parent() -> None:
    """Ends this process within a second of its parent's death; what it did so far is kept."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def leave_soon(code: int = 1) -> None:
    """Ends this process in a moment, without waiting for threads deep in a step.

    Python would wait for them, minutes if need be; what they did so far is kept as it is.
    """
    timer = threading.Timer(LEAVE_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


def end_with_stdin(stop: Callable[[], object]) -> None:
    """Calls `stop` when standard input closes: its other end was the parent's.

    Some seconds later this process and its whole group are killed; it must lead the group.
    """

    def watch() -> None:
        while os.read(0, 1024):  # not sys.stdin: its lock would abort an exit meanwhile
            pass
        stop()
        time.sleep(GRACE_SECONDS)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
