"""A mirror of Common Crawl on loopback: byte ranges, ETags, and faults on demand."""

import gzip
import hashlib
import http.server
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

Fault = Callable[[http.server.BaseHTTPRequestHandler], None]


class Mirror:
    """Serves `files` by path; the first of a path's `faults` answers instead, once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.hits: Counter[str] = Counter()
        self.bytes_sent = 0
        self.asked: list[tuple[str, str, str]] = []  # path, Range, If-Range
        self.ranges = True
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = unquote(self.path).lstrip("/")
                mirror.hits[path] += 1
                headers = self.headers
                mirror.asked.append((path, headers.get("Range", ""), headers.get("If-Range", "")))
                if mirror.faults[path]:
                    mirror.faults[path].pop(0)(self)
                elif path not in mirror.files:
                    answer(self, 404, b"nothing here")
                else:
                    mirror._send(self, mirror.files[path])

            def log_message(self, *args: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """A client that left is no news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        serve = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        serve.start()

    def _send(self, handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
        tag = etag(content)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        if not self.ranges or handler.headers.get("If-Range", tag) != tag:
            wanted = None
        headers = {"ETag": tag}
        if wanted is None:
            self.bytes_sent += len(content)
            answer(handler, 200, content, headers)
            return
        start = int(wanted[1])
        end = min(int(wanted[2]) + 1 if wanted[2] else len(content), len(content))
        if start >= len(content):
            answer(handler, 416, b"", headers | {"Content-Range": f"bytes */{len(content)}"})
            return
        self.bytes_sent += end - start
        where = f"bytes {start}-{end - 1}/{len(content)}"
        answer(handler, 206, content[start:end], headers | {"Content-Range": where})

    def save(self, folder: Path) -> str:
        """A local copy; its base URL."""
        for path, content in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return folder.as_uri() + "/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def answer(
    handler: http.server.BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    headers: dict[str, str] | None = None,
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def says(status: int, body: bytes = b"", **headers: str) -> Fault:
    """A fault: another answer; `Retry_After` becomes Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: answer(handler, status, body, named)


def breaks_off(content: bytes, after: int) -> Fault:
    """A fault: the connection ends within the body."""

    def fault(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.send_header("ETag", etag(content))
        handler.end_headers()
        handler.wfile.write(content[:after])
        handler.close_connection = True

    return fault


def listing(paths: list[str]) -> bytes:
    return gzip.compress("".join(f"{path}\n" for path in paths).encode(), mtime=0)
