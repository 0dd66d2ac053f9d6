"""Reports over HTTP: what a manifest names, and nothing else."""

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from flows.pages import serve_pages
from storage.session import Session
from storage.steps import step
from storage.store import Store
from tasks.report.page import RUN_LINE_SLOT, RUN_SLOT

# Where a run's own figures go.
SLOTS = "".join((*RUN_LINE_SLOT, *RUN_SLOT))
PAGE = f"<h1>Bericht: 3 Äpfel</h1>{SLOTS}"


@step("report", version="1")
def report(build: Any) -> None:
    for name, text in (("report.html", PAGE), ("summary.md", "# sums"), ("folder/a.json", "{}")):
        path = build.scratch / name.replace("/", "-")
        path.write_text(text)
        build.add_file(name, path)


@pytest.fixture
def run(direct: Session) -> Session:
    report()
    return direct


@pytest.fixture
def port(store: Store, run: Session) -> Iterator[int]:
    with serve_pages(store) as port:
        yield port


def ask(
    port: int, path: str, method: str = "GET", host: str = ""
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read().decode()
    finally:
        connection.close()


def test_report_is_served_under_its_run(port: int, run: Session) -> None:
    status, headers, body = ask(port, f"/runs/{run.record.id}/report.html")
    assert status == 200
    assert body.startswith("<h1>Bericht: 3 Äpfel</h1>")
    assert run.record.id in body  # the run's own figures are filled in
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Length"] == str(len(body.encode()))
    assert ask(port, f"/runs/{run.record.id}/summary.md")[1]["Content-Type"].startswith(
        "text/plain"
    )


def test_index_links_the_reports(port: int, run: Session) -> None:
    status, _, body = ask(port, "/")
    assert status == 200
    assert f'href="/runs/{run.record.id}/report.html"' in body


def test_artifact_is_served_by_step_recipe_and_name(port: int, run: Session) -> None:
    recipe = run.handles["report"].recipe
    assert ask(port, f"/artifacts/report/{recipe}/folder/a.json")[2] == "{}"
    assert ask(port, f"/artifacts/report/{recipe}/folder")[0] == 404
    assert ask(port, f"/artifacts/report/{recipe[::-1]}/report.html")[0] == 404


def test_head_sends_no_body(port: int, run: Session) -> None:
    assert ask(port, f"/runs/{run.record.id}/report.html", "HEAD")[::2] == (200, "")


def test_nothing_can_be_changed(port: int, run: Session) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert ask(port, f"/runs/{run.record.id}/report.html", method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/runs/../../format.json",
        "/runs/%2e%2e/%2e%2e",
        "/runs/{run}/../../../format.json",
        "/runs/{run}/%2e%2e%2f%2e%2e%2fformat.json",
        "/runs/{run}/format.json",
        "/runs/20200101-000000-000000-00/report.html",
        "/artifacts/report/{recipe}/../../../../format.json",
        "/artifacts/../runs/{recipe}/x",
        "//etc/passwd",
        "/format.json",
    ],
)
def test_other_files_cannot_be_asked_for(port: int, run: Session, path: str) -> None:
    recipe = run.handles["report"].recipe
    assert ask(port, path.format(run=run.record.id, recipe=recipe))[0] == 404


def test_page_of_another_name_is_refused(port: int, run: Session) -> None:
    """A foreign page whose name resolves to 127.0.0.1 must not read reports."""
    assert ask(port, "/", host="evil.example")[0] == 421
    assert ask(port, "/", host=f"localhost:{port}")[0] == 200
