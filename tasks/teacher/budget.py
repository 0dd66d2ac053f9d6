"""A hard limit on what a teacher may cost: reserve the worst case first, settle on the bill."""

import threading


class Budget:
    """Requests and tokens that may still be spent; safe for threads.

    A request is only sent after its worst case was reserved, so that requests in flight cannot
    overspend together.
    """

    def __init__(self, max_requests: int, max_tokens: int, spent: tuple[int, int] = (0, 0)) -> None:
        """`spent` is what was used before: (requests, tokens)."""
        self._max_requests, self._max_tokens = max_requests, max_tokens
        self._requests, self._tokens = spent
        self._lock = threading.Lock()

    def reserve(self, tokens: int) -> bool:
        """Takes one request of at most `tokens` out of the budget; False if it does not fit."""
        with self._lock:
            if self._requests >= self._max_requests or self._tokens + tokens > self._max_tokens:
                return False
            self._requests += 1
            self._tokens += tokens
            return True

    def settle(self, reserved: int, used: int) -> None:
        """Replaces a reservation by what was really used."""
        with self._lock:
            self._tokens += used - reserved


def estimate_tokens(text: str) -> int:
    """An upper estimate of a text's tokens: two bytes a token is dense for any script."""
    return len(text.encode("utf-8", errors="replace")) // 2 + 16
