"""Sites on loopback that count who asks, and WARC files made by another tool than ours."""

import contextlib
import gzip
import http.server
import io
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter


@dataclass
class Answer:
    """What a site says at one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html"})
    seconds_per_byte: float = 0.0


class Site:
    """A web server that answers from a dict and counts its visits."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.answers: dict[str, Answer] = {}
        self.hits: Counter[str] = Counter()
        self.not_modified: Counter[str] = Counter()
        self.user_agents: set[str] = set()
        self.cookies: set[str] = set()
        self.before_answer: Callable[[str], None] = lambda path: None
        self.before_request: Callable[[Message], None] = lambda headers: None
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.hits[self.path] += 1
                site.user_agents.add(self.headers.get("User-Agent", ""))
                site.cookies.add(self.headers.get("Cookie", ""))
                site.before_request(self.headers)
                site.before_answer(self.path)
                answer = site.answer_to(self.path, self.headers)
                self.send_response(answer.status)
                headers = {"Content-Length": str(len(answer.body)), **answer.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                step = 1 if answer.seconds_per_byte else len(answer.body) or 1
                with contextlib.suppress(OSError):  # who asked may have had enough
                    for start in range(0, len(answer.body), step):
                        self.wfile.write(answer.body[start : start + step])
                        time.sleep(answer.seconds_per_byte)

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer_to(self, path: str, headers: Message) -> Answer:
        """What to say at a path; 304 to a condition that the answer's validators fulfil."""
        answer = self.answers.get(path, Answer(b"<p>nothing here</p>", 404))
        conditions = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        for condition, validator in conditions.items():
            if validator in answer.headers and headers.get(condition) == answer.headers[validator]:
                self.not_modified[path] += 1
                return Answer(status=304, headers={validator: answer.headers[validator]})
        return answer

    def __setitem__(self, path: str, answer: Answer | str | bytes) -> None:
        if isinstance(answer, str):
            answer = answer.encode()
        self.answers[path] = Answer(answer) if isinstance(answer, bytes) else answer

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def page(title: str, *links: str) -> str:
    """An HTML page with enough text to be extracted."""
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    text = f"This is the page called {title}. It says a few plain things about {title}. " * 3
    return (
        f"<html lang='en-GB'><head><title>{title}</title></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main><ul>{anchors}</ul></body></html>"
    )


@dataclass
class Record:
    """One record of a WARC file to make."""

    url: str | None
    body: bytes = b""
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    kind: str = "response"
    extra: tuple[tuple[str, str], ...] = ()


def warc_bytes(records: list[Record], form: str = "per record") -> bytes:
    """A WARC file by warcio: gzipped "per record", "whole", or "plain"."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=form == "per record")
    for record in records:
        made = writer.create_warc_record(
            record.url or "",
            record.kind,
            payload=io.BytesIO(record.body),
            length=len(record.body),
            http_headers=StatusAndHeaders(record.status, list(record.headers), protocol="HTTP/1.1")
            if record.kind == "response"
            else None,
            warc_headers_dict={
                "WARC-Date": "2024-03-05T06:07:08Z",
                "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, record.url or '')}>",
                **dict(record.extra),
            },
        )
        writer.write_record(made)
    content = buffer.getvalue()
    return gzip.compress(content, mtime=0) if form == "whole" else content


def warc_file(folder: Path, records: list[Record], form: str = "per record") -> Path:
    path = folder / ("test.warc" if form == "plain" else "test.warc.gz")
    path.write_bytes(warc_bytes(records, form))
    return path
