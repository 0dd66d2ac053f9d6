"""Reports and artifacts over HTTP on loopback: a browser follows no file links from the dashboard.

    /                                  the runs, the latest first
    /runs/<run>/report.html            a file of the run's report
    /artifacts/<step>/<recipe>/<name>  a file of the newest artifact of that recipe

Read only. A file is found by its name in a manifest, never by a path, so nothing else of this
machine can be asked for.
"""

import contextlib
import html
import mimetypes
import re
import shutil
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flows.runner import export_report, report_file
from storage.runs import list_runs, read_run
from storage.store import Store, StoreError

RUN_FILE = re.compile(r"/runs/([0-9a-f-]+)/([\w.-]+)")
ARTIFACT_FILE = re.compile(r"/artifacts/([\w-]+)/([0-9a-f]{64})/([\w./-]+)")
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
LISTED_RUNS = 100


class _Pages(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    store: Store
    on_loopback: bool
    server_version = "crawl2chat"
    sys_version = ""

    def do_GET(self) -> None:
        """Sends a page or a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Sends the headers of a page or a file."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests are of no interest."""

    def _answer(self, *, with_body: bool) -> None:
        # A name that resolves to loopback must not let a foreign page read ours (DNS rebinding).
        if self.on_loopback and not LOOPBACK.fullmatch(self.headers.get("Host", "")):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            body = index_page(self.store).encode()
            self._send_head("text/html; charset=utf-8", len(body))
            if with_body:
                self.wfile.write(body)
            return
        try:
            file = find_file(self.store, path)
        except StoreError:
            file = None
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send_head(_content_type(path), file.stat().st_size)
        if with_body:
            with file.open("rb") as source:
                shutil.copyfileobj(source, self.wfile)

    def _send_head(self, content_type: str, length: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()


def find_file(store: Store, path: str) -> Path | None:
    """The file that a URL's path names, or None."""
    found = RUN_FILE.fullmatch(path)
    if found:
        if found[2] == "report.html":
            return export_report(store, found[1])
        return report_file(store, read_run(store, found[1]), found[2])
    found = ARTIFACT_FILE.fullmatch(path)
    if not found:
        return None
    manifest = store.latest_manifest(found[1], found[2])
    for entry in manifest.files if manifest is not None else []:
        if entry.name == found[3]:
            return store.blob_path(entry)
    return None


def index_page(store: Store) -> str:
    """All runs with links to their reports."""
    rows = []
    for run in reversed(list_runs(store)[-LISTED_RUNS:]):
        name = html.escape(run.id)
        if run.artifact("report") is not None:
            name = f'<a href="/runs/{name}/report.html">{name}</a>'
        cells = [run.flow, run.preset, run.status, str(run.executed), str(run.cached)]
        cells = [name, *map(html.escape, cells)]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(
        f"<th>{name}</th>" for name in ("run", "flow", "preset", "status", "executed", "cached")
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>crawl2chat: runs</title>'
        "<style>body{font:16px system-ui,sans-serif;margin:2rem}td,th{padding:.2rem 1rem;"
        "text-align:left}tr:nth-child(even){background:#f4f4f4}</style>"
        f"<h1>Runs</h1><table><tr>{head}</tr>{''.join(rows)}</table></html>"
    )


def _content_type(path: str) -> str:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if path.endswith((".md", ".jinja", ".jsonl")):
        kind = "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or "json" in kind else kind


@contextlib.contextmanager
def serve_pages(store: Store, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Serves the store's pages in a thread; yields the port (a free one for 0)."""
    handler = type("Pages", (_Pages,), {"store": store, "on_loopback": host == "127.0.0.1"})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
