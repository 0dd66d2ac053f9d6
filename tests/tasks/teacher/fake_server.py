"""A chat-completions server on loopback that answers by a script, and remembers what it was asked.

A script is a list of replies; each request takes the next one, and the last one stays.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One reply; `cut_bytes` are promised by Content-Length and never sent."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # before the body
    cut_bytes: int = 0
    content_type: str = "application/json"


def said(text: str | None, **more: Any) -> Reply:
    """A proper answer; `more` overrides its finish_reason and usage."""
    usage = more.get("usage", {"prompt_tokens": 10, "completion_tokens": 5})
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": more.get("finish_reason", "stop"),
    }
    return Reply(body=json.dumps({"choices": [choice], "usage": usage, "unknown": [1]}))


class FakeServer:
    """The running server: `url`, and the bodies and headers of all requests."""

    def __init__(self, answer: Callable[[Body, int], Reply]) -> None:
        self.asked: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()
        self._answer = answer
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def prompts(self) -> list[str]:
        return [body["messages"][-1]["content"] for body in self.asked]

    def _next(self, body: Body, headers: dict[str, str]) -> Reply:
        with self._lock:
            self.asked.append(body)
            self.headers.append(headers)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            return self._answer(body, len(self.asked) - 1)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                reply = server._next(body, dict(self.headers))
                time.sleep(reply.seconds)
                content = reply.body.encode()
                with server._lock:
                    server.in_flight -= 1
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(content) + reply.cut_bytes))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def scripted(*replies: Reply) -> Iterator[FakeServer]:
    """A server that gives these replies in turn."""
    with FakeServer(lambda _, number: replies[min(number, len(replies) - 1)]) as server:
        yield server
