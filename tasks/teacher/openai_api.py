"""A teacher behind an OpenAI-compatible server: POST {base_url}/chat/completions.

Retries are ours, not an SDK's, because a hidden retry is a bill: only what can heal is tried again
(timeouts, 408/409/425/429/5xx, broken bodies), `Retry-After` is honoured up to a cap, a refused
key or an empty account stops the step at once, and one bad item never stops the others. An answer
is stored before it is used; a resumed step pays for nothing twice.
"""

import json
import math
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Event
from urllib.parse import urlsplit

import httpx

from tasks.teacher.budget import Budget, estimate_tokens
from tasks.teacher.exchange import FinishReason, Request, Response, TeacherError, cut_at_stop
from tasks.teacher.responses import ResponseStore

_RETRIED = frozenset({408, 409, 425, 429})
_FATAL = frozenset({401, 402, 403, 404, 405})
_MAX_BODY_BYTES = 8 * 2**20  # no chat answer is larger
_FIRST_WAIT_SECONDS = 0.5  # doubled by each further attempt
_FINISH_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "content_filter": "content_filter",
}
_THOUGHT = re.compile(r"^\s*<think>.*?(</think>\s*|\Z)", re.DOTALL)  # of reasoning models


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the teacher lives and how patient we are with it; never part of a content key."""

    base_url: str
    model: str
    api_key_env: str = ""  # the environment variable that holds the key; "" sends none
    timeout_seconds: float = 120.0
    max_attempts: int = 4  # per request
    max_wait_seconds: float = 60.0  # cap on one pause, whatever Retry-After says
    concurrency: int = 4  # requests in flight
    max_failures: int = 5  # requests in a row that may fail before the step stops


class _RetryError(Exception):
    """This attempt failed in a way that may heal; `billed` when the server may have worked."""

    def __init__(self, outcome: str, wait_seconds: float | None = None, billed: bool = False):
        super().__init__(outcome)
        self.outcome, self.wait_seconds, self.billed = outcome, wait_seconds, billed


class _SkipError(Exception):
    """The server will never answer this one request."""


class OpenAITeacher:
    """Asks a chat-completions server, within a budget, and remembers every answer."""

    kind = "openai/1"

    def __init__(self, endpoint: Endpoint, store: ResponseStore, budget: Budget) -> None:
        """The endpoint's key is read from its environment variable now, and never kept."""
        self._endpoint, self._store, self._budget = endpoint, store, budget
        self._stopped = Event()
        self._error = ""
        self._failures = 0
        self._client = httpx.Client(
            timeout=endpoint.timeout_seconds,
            headers=_headers(endpoint.api_key_env),
            trust_env=urlsplit(endpoint.base_url).hostname not in ("127.0.0.1", "localhost"),
        )

    @property
    def model(self) -> str:
        """The model's name at the server."""
        return self._endpoint.model

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order, from the store where it has one.

        Raises:
            TeacherError: when the server refuses us or stays silent; what it had answered by then
                is stored.
        """
        with ThreadPoolExecutor(self._endpoint.concurrency) as pool:
            return list(pool.map(self._answer, requests))

    def close(self) -> None:
        """Closes connections and the store."""
        self._client.close()
        self._store.close()

    def _answer(self, request: Request) -> Response:
        key = request.key(self.model)
        stored = self._store.get(key)
        if stored is not None:
            return stored
        try:
            return self._ask(request, key)
        except TeacherError as error:
            self._error = self._error or str(error)
            self._stopped.set()  # requests still queued are not sent; those in flight land
            raise

    def _ask(self, request: Request, key: str) -> Response:
        """Attempts until answered, given up, or out of budget."""
        prompt = "".join(turn.content for turn in request.messages)
        tokens = estimate_tokens(prompt) + request.params.max_tokens  # the worst case
        for attempt in range(self._endpoint.max_attempts):
            if self._stopped.is_set():
                raise TeacherError(self._error)
            if not self._budget.reserve(tokens):
                return _no_answer(key, self.model, "budget")
            try:
                response = self._send(request, key, tokens)
            except _SkipError as skip:
                return _no_answer(key, self.model, str(skip))
            except _RetryError as retry:
                if attempt + 1 < self._endpoint.max_attempts:
                    self._pause(retry.wait_seconds, attempt)
            else:
                self._failures = 0
                return response
        return self._give_up(key)

    def _send(self, request: Request, key: str, tokens: int) -> Response:
        """One attempt, on record before it is sent and settled afterwards."""
        sent = self._store.begin(key, tokens)
        try:
            response, raw = self._post(request, key)
        except (_SkipError, _RetryError) as error:
            cost = tokens if isinstance(error, _RetryError) and error.billed else 0
            self._budget.settle(tokens, cost)
            self._store.fail(sent, str(error), cost)
            raise
        except TeacherError:
            self._store.fail(sent, "refused", 0)
            raise
        self._budget.settle(tokens, response.prompt_tokens + response.completion_tokens)
        self._store.put(sent, request, response, raw)
        return response

    def _pause(self, wanted_seconds: float | None, attempt: int) -> None:
        """Waits before the next attempt; ends early when another request stopped the step."""
        seconds = _FIRST_WAIT_SECONDS * 2**attempt if wanted_seconds is None else wanted_seconds
        self._stopped.wait(min(seconds, self._endpoint.max_wait_seconds))

    def _give_up(self, key: str) -> Response:
        self._failures += 1
        if self._failures >= self._endpoint.max_failures:
            raise TeacherError(
                f"{self._endpoint.base_url} did not answer {self._failures} requests in a row "
                f"({self._endpoint.max_attempts} attempts each); outcomes: "
                f"{self._store.outcomes()}; run again to go on where it stopped"
            )
        return _no_answer(key, self.model, "unavailable")

    def _post(self, request: Request, key: str) -> tuple[Response, str]:
        """One attempt.

        Raises:
            _RetryError: for what may heal.
            _SkipError: for what never will, for this request.
            TeacherError: for what never will, for any request.
        """
        body = {
            "model": self.model,
            "messages": [{"role": t.role, "content": t.content} for t in request.messages],
            "temperature": request.params.temperature,
            "top_p": request.params.top_p,
            "max_tokens": request.params.max_tokens,
            "seed": int(key[:8], 16) >> 1,  # so that samples of one prompt differ
        }
        if request.params.stop:
            body["stop"] = list(request.params.stop)
        status, headers, text = self._fetch(body)
        self._check_status(status, headers, text)
        prompt = "".join(turn.content for turn in request.messages)
        return _parse(text, key, self.model, prompt, request.params.stop), text

    def _fetch(self, body: dict[str, object]) -> tuple[int, httpx.Headers, str]:
        """Status, headers and body of the reply, read within the time and size that it may take.

        The client's own timeout is about silence: a byte now and then would never end.
        """
        url = f"{self._endpoint.base_url.rstrip('/')}/chat/completions"
        ends_at = time.monotonic() + self._endpoint.timeout_seconds
        content = bytearray()
        try:
            with self._client.stream("POST", url, json=body) as reply:
                for part in reply.iter_bytes():
                    content += part
                    if time.monotonic() > ends_at:
                        raise _RetryError("timeout", billed=True)
                    if len(content) > _MAX_BODY_BYTES:
                        raise _RetryError("too_large", billed=True)
                return reply.status_code, reply.headers, content.decode(errors="replace")
        except httpx.TimeoutException:
            raise _RetryError("timeout", billed=True) from None
        except httpx.RequestError as error:
            raise _RetryError(type(error).__name__) from None

    def _check_status(self, status: int, headers: httpx.Headers, text: str) -> None:
        if status == 200:
            return
        quota = status == 429 and "insufficient_quota" in text
        if status in _FATAL or quota:
            raise TeacherError(
                f"{self._endpoint.base_url} answers HTTP {status}"
                f"{' (the account is empty)' if quota else ''}; "
                f"check teacher.base_url, teacher.model ({self.model!r}) and the key in "
                f"{self._endpoint.api_key_env or 'teacher.api_key_env (none set)'}"
            )
        if status in _RETRIED or status >= 500:
            raise _RetryError(f"http_{status}", retry_after_seconds(headers.get("Retry-After")))
        raise _SkipError(f"http_{status}")


def retry_after_seconds(header: str | None) -> float | None:
    """The pause a `Retry-After` header asks for, in seconds or as a date; None if unreadable."""
    if header is None:
        return None
    try:
        seconds = float(header)
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def _headers(api_key_env: str) -> dict[str, str]:
    if not api_key_env:
        return {}
    secret = os.environ.get(api_key_env, "")
    if not secret:
        raise TeacherError(
            f"the environment variable {api_key_env} (teacher.api_key_env) is empty; "
            "export the teacher's key in it, or set teacher.api_key_env to '' for none"
        )
    return {"Authorization": f"Bearer {secret}"}


def _parse(body: str, key: str, model: str, prompt: str, stop: Sequence[str]) -> Response:
    """The answer in a 200 body; servers send pages, fragments and errors under 200 as well."""
    try:
        payload = json.loads(body)
        choice = payload["choices"][0]
        text = choice["message"].get("content") or ""
        usage = payload.get("usage") or {}
        asked = int(usage.get("prompt_tokens") or 0)
        said = int(usage.get("completion_tokens") or 0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _RetryError("bad_body", billed=True) from None
    if not isinstance(text, str):
        raise _RetryError("bad_body", billed=True)
    text = text.encode(errors="replace").decode()  # half a surrogate pair is no text
    if not asked + said:  # a server that sends no bill: count on the safe side
        asked, said = estimate_tokens(prompt), estimate_tokens(text)
    finish = _FINISH_REASONS.get(str(choice.get("finish_reason")), "stop")
    spoken = _THOUGHT.sub("", text)
    return Response(key, cut_at_stop(spoken, stop), finish, model, asked, said)


def _no_answer(key: str, model: str, error: str) -> Response:
    return Response(key, "", "error", model, error=error)
