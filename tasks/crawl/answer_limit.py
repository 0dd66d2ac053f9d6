"""A limit on the time until the next piece of an answer is whole: its headers, or a block of it.

httpx begins its timeout anew with every byte. So headers that come one byte a second would keep a
connection for a day, and no `SpeedGate` hears of them: it sees the body alone.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from tasks.crawl.backoff import TryAgainError

NEW_CONNECTION = ("connect_tcp.complete", "start_tls.complete")


class AnswerLimit(threading.local):
    """Ends what a thread reads from a connection when the piece that it waits for is late."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """No thread waits yet."""
        self.seconds = seconds
        self.clock = clock
        self.until = math.inf

    def begin(self) -> None:
        """This thread waits for a piece from now on."""
        self.until = self.clock() + self.seconds

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Hears of each new connection: the extension `trace` of a request, see httpcore."""
        if not event.endswith(NEW_CONNECTION):
            return
        stream = info["return_value"]
        read = stream.read

        def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
            left = self.until - self.clock()
            if left <= 0:
                raise TryAgainError(f"no whole answer in {self.seconds:.0f} seconds")
            data: bytes = read(max_bytes, min(left, timeout or left))
            return data

        stream.read = read_in_time
