"""The standard library's documentation as a web site on loopback: the demo's crawl target.

A real site in a process of its own: robots.txt with Disallow rules, 404 for what is not there,
500 for a module that this platform cannot import, which never harms the server. `serve` starts
it under `python -S -s -P`, so that it sees the standard library only, with an empty environment
and a fixed hash seed. It prints its port on the first line and ends when its standard input
closes, so it never outlives its parent.
"""

import contextlib
import html
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tasks.crawl import pydoc_pages as pages

MAX_RENDER_SECONDS = 15
ROOT = Path(__file__).parents[2]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    server_version = "pydoc-site"

    def do_GET(self) -> None:
        """Routes a path to its page."""
        path = self.path.partition("?")[0]
        if path == "/robots.txt":
            self.answer(200, pages.robots_txt(), "text/plain")
            return
        try:
            signal.alarm(MAX_RENDER_SECONDS)
            body = render(path)
        except KeyError:
            self.answer(404, pages.page("Not found", "<p>No such page.</p>"))
        except (Exception, SystemExit) as error:
            reason = html.escape(f"{type(error).__name__}: {error}")
            self.answer(500, pages.page("Error", f"<p>{reason}</p>"))
        else:
            self.answer(200, body)
        finally:
            signal.alarm(0)

    def answer(self, status: int, body: str, content_type: str = "text/html") -> None:
        """Sends one complete response."""
        content = body.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: the crawl counts what it sees."""


def render(path: str) -> str:
    """The page at a path; a KeyError when nothing is there."""
    if path == "/":
        return pages.index_page()
    if topic := re.fullmatch(r"/topics/([\w-]+)\.html", path):
        return pages.topic_page(topic[1])
    module = re.fullmatch(r"/([\w.]+)\.html", path)
    if module is None or pages.is_refused(module[1]):
        raise KeyError(path)
    return pages.module_page(module[1])


def end_with_parent(lifeline: int) -> None:
    """Leaves this process as soon as the other end of the pipe is closed."""

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def too_slow(_signal: int, _frame: FrameType | None) -> None:
    """Gives up on a page whose module takes too long to import or render."""
    raise TimeoutError(f"not rendered within {MAX_RENDER_SECONDS} s")


def main() -> None:
    """Listens on a free loopback port, says which, and answers until the parent goes away.

    One thread: pages take 2 ms each, and the alarm that ends a hanging import needs the main one.
    """
    sys.path.remove(str(ROOT))  # the library's own modules only
    os.environ.clear()
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    end_with_parent(os.dup(0))
    # What a module prints or reads while it is imported must not reach the parent.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    signal.signal(signal.SIGALRM, too_slow)
    warnings.simplefilter("ignore")
    server.serve_forever()


@contextlib.contextmanager
def serve() -> Iterator[int]:
    """Runs the site beside the caller; yields its port on 127.0.0.1.

    Raises:
        RuntimeError: when the server ended before it was listening.
    """
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "TZ": "UTC"}
    command = [sys.executable, "-S", "-s", "-P", "-X", "utf8", "-m", "tasks.crawl.pydoc_site"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd="/", text=True
    ) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line.strip().isdigit():
                raise RuntimeError(f"the pydoc site did not start (exit code {server.wait()})")
            yield int(line)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
