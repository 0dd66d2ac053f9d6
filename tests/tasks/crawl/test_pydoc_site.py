"""The documentation site in its own process, and its pages."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.crawl import pydoc_pages, pydoc_site


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_site_answers_for_what_is_there_and_survives_the_rest() -> None:
    with pydoc_site.serve() as port:
        status, index = get(port, "/")
        assert status == 200
        assert {"/json.html", "/antigravity.html"} <= set(re.findall(r'href="([^"]+)"', index))
        status, body = get(port, "/json.decoder.html")
        assert status == 200
        assert "Performs the following translations in decoding by default" in body
        assert get(port, "/nothing.html")[0] == 404
        assert get(port, "/../../etc/passwd")[0] == 404
        assert get(port, "/antigravity.html")[0] == 404  # it would open a browser
        assert get(port, "/multiprocessing.popen_spawn_win32.html")[0] == 500
        assert get(port, "/json.html?x=1")[0] == 200
        assert "Disallow: /antigravity.html" in get(port, "/robots.txt")[1].splitlines()
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")


def test_pages_do_not_depend_on_the_process_or_name_this_machine() -> None:
    names = ("os", "sys", "typing", "tempfile", "sysconfig", "dataclasses", "site", "enum")
    pages = []
    for _ in range(2):
        with pydoc_site.serve() as port:
            pages.append({name: get(port, f"/{name}.html") for name in names})
    assert pages[0] == pages[1]
    text = "".join(body for _, body in pages[0].values())
    assert {status for status, _ in pages[0].values()} == {200}
    assert " at 0x" not in text
    for here in (sys.prefix, sys.base_prefix, str(Path.home()), "PYTHONHASHSEED"):
        if len(here) > 5:
            assert here not in text


def test_the_site_ends_with_its_parent() -> None:
    program = (
        "import time\nfrom tasks.crawl import pydoc_site\n"
        "with pydoc_site.serve() as port:\n    print(port, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=pydoc_site.ROOT,
        env=os.environ | {"PYTHONPATH": str(pydoc_site.ROOT)},
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert get(port, "/json.html")[0] == 200
        os.kill(parent.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            get(port, "/json.html")
        except (OSError, http.client.HTTPException):  # gone, or gone in the middle of an answer
            return
        time.sleep(0.05)
    pytest.fail("the site outlived its parent")


def test_a_page_documents_what_is_defined_there() -> None:
    body = pydoc_pages.module_page("json.decoder")
    assert "<title>json.decoder - Implementation of JSONDecoder</title>" in body
    assert "<p>Implementation of JSONDecoder</p>" in body
    assert '<p>A subclass of <a href="/builtins.html">ValueError</a>.</p>' in body
    assert "<h4>JSONDecoder.raw_decode(self, s, idx=0)</h4>" in body
    assert "with_traceback" not in body  # inherited from BaseException
    assert '<li><a href="/json.decoder.html">decoder</a></li>' in pydoc_pages.module_page("json")
    assert "Unittest main program" in pydoc_pages.module_page("unittest.main")  # a class too
    with pytest.raises(KeyError):
        pydoc_pages.module_page("no.such.module")


def test_prose_tells_headings_paragraphs_and_examples_apart() -> None:
    text = "The title\n*********\n\nOne\nparagraph & more.\n\n  x < 1\n\n>>> f()\n3\n\nA | b"
    assert pydoc_pages.prose(text).split("\n") == [
        "<h2>The title</h2>",
        "<p>One",
        "paragraph &amp; more.</p>",
        "<pre>  x &lt; 1</pre>",
        "<pre>&gt;&gt;&gt; f()",
        "3</pre>",
        "<p>A | b</p>",
    ]


def test_a_constant_is_shown_only_when_it_is_plain_and_names_no_path() -> None:
    values = [3, "text", (1, "a"), "/usr/bin", {"a": 1}, "x" * 200, object(), None]
    shown = [pydoc_pages.constant(value) for value in values]
    assert shown == ["3", "'text'", "(1, 'a')", "str", "dict", "str", "object", "None"]
