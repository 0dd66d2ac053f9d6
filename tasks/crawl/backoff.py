"""How long to wait before a server is asked again, and when a connection is too slow.

Common Crawl answers 503 when its storage is overloaded and 403 or 429 when one address asks too
often (https://status.commoncrawl.org); all connections of a capture slow down together then.
"""

import datetime as dt
import email.utils
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

T = TypeVar("T")

MAX_PAUSE_SECONDS = 60.0
MAX_RETRY_AFTER_SECONDS = 600.0
MIN_BYTES_PER_SECOND = 1_000


class DownloadError(Exception):
    """A file could not be had; the message holds its URL and the last reason."""


class StoppedError(Exception):
    """Another connection of the same capture failed, so this one ended too."""


class TryAgainError(Exception):
    """The server cannot answer now."""

    def __init__(self, reason: str, retry_after: float = 0.0, *, too_much: bool = False) -> None:
        """What happened.

        Args:
            reason: for people.
            retry_after: seconds that the server asks for; 0 when it does not say.
            too_much: the server is asked too often, by us or by all.
        """
        super().__init__(reason)
        self.retry_after = retry_after
        self.too_much = too_much


def pause_seconds(url: str, failures: int, retry_after: float = 0.0) -> float:
    """Seconds before the next try: 0.5, 1, 2, … 60 and up to half more, never under `retry_after`.

    The part that is more comes from a hash of URL and try, so that not all come back at once.

    >>> 0.5 <= pause_seconds("http://a/", 1) <= 0.75, pause_seconds("http://a/", 1, 30) >= 30
    (True, True)
    """
    digest = hashlib.blake2b(f"{failures} {url}".encode(), digest_size=4).digest()
    more = int.from_bytes(digest, "little") / 2**32 / 2
    pause = min(MAX_PAUSE_SECONDS, 0.25 * 2.0 ** min(failures, 16))
    return max(pause, min(retry_after, MAX_RETRY_AFTER_SECONDS)) * (1 + more)


def retry_after_seconds(header: str, now: dt.datetime) -> float:
    """What a Retry-After header asks for (RFC 9110, 10.2.3): seconds, or a date; else 0.

    >>> retry_after_seconds("120", dt.datetime.now(dt.UTC))
    120.0
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        until = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - now).total_seconds())


@dataclass
class SpeedGate:
    """Notices a connection that gives a byte now and then, which no timeout of one read does."""

    window_seconds: float
    clock: Callable[[], float] = time.monotonic
    since: float = field(init=False)
    num_bytes: int = 0

    def __post_init__(self) -> None:
        """The first window begins now."""
        self.since = self.clock()

    def passed(self, num_bytes: int) -> None:
        """Hears of bytes that came.

        Raises:
            TryAgainError: when a window ends with less than `MIN_BYTES_PER_SECOND`.
        """
        self.num_bytes += num_bytes
        seconds = self.clock() - self.since
        if seconds < self.window_seconds:
            return
        if self.num_bytes < MIN_BYTES_PER_SECOND * seconds:
            raise TryAgainError(f"{self.num_bytes} bytes in {seconds:.0f} seconds")
        self.since, self.num_bytes = self.clock(), 0


class Patience:
    """Asks again and again, for all connections of a capture; threads share it."""

    def __init__(self, retries: int) -> None:
        """`retries` is how many failures in a row are borne."""
        self.retries = retries
        self._stopped = threading.Event()
        self._quiet_until = 0.0  # of time.monotonic()

    def stop(self) -> None:
        """Ends every wait, now and later, with `StoppedError`."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Waits; not at all for 0 or less.

        Raises:
            StoppedError: when all is to end.
        """
        if self._stopped.wait(seconds) if seconds > 0 else self._stopped.is_set():
            raise StoppedError

    def of(
        self, url: str, ask: Callable[[], T], has_grown: Callable[[], bool] = lambda: False
    ) -> T:
        """What `ask` gives in the end; a failure after which `has_grown` counts as the first.

        Raises:
            DownloadError: after too many failures in a row, or one that waiting does not heal.
        """
        failures = 0
        while True:
            self.wait(self._quiet_until - time.monotonic())
            try:
                return ask()
            except (httpx.TransportError, TryAgainError) as error:
                failures = 1 if has_grown() else failures + 1
                if failures > self.retries:
                    reason = str(error) or type(error).__name__
                    raise DownloadError(f"{url}: {reason}, {failures} times in a row") from None
                self._pause(url, failures, error)
            except (httpx.RequestError, httpx.InvalidURL) as error:  # such as endless redirects
                raise DownloadError(f"{url}: {error}") from None

    def _pause(self, url: str, failures: int, error: Exception) -> None:
        answer = error if isinstance(error, TryAgainError) else TryAgainError("")
        seconds = pause_seconds(url, failures, answer.retry_after)
        if answer.too_much:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)
        self.wait(seconds)
