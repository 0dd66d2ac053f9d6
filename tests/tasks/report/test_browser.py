"""The page in a real browser: nothing fails, nothing is fetched, nothing runs."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline_config.report import ReportConfig
from tasks.report.contents import Answered, Contents, DocumentExample, ReasonExamples
from tasks.report.page import draw_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = "</style><script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=1>"


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_page_opens_without_error_or_request(
    contents: Contents, tmp_path: Path, width: int, scheme: str
) -> None:
    from playwright.sync_api import sync_playwright

    example = DocumentExample("0" * 32, "http://x.demo/" + "long" * 90, EVIL + "w" * 900)
    contents = replace(
        contents,
        title=contents.title,
        examples=(ReasonExamples("decide", "docs", "x" * 60, 1, (example,)),),
        samples=(Answered(EVIL, "y" * 500, EVIL), *contents.samples),
    )
    path = tmp_path / "report.html"
    path.write_text(draw_page(contents, ReportConfig()), encoding="utf-8")
    console: list[str] = []
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri(), wait_until="load")
        for summary in page.locator("summary").all():
            if summary.is_visible():
                summary.click()
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        title = page.title()
        browser.close()
    assert console == []
    assert requests == [path.as_uri()]
    assert overflow == 0
    assert title.startswith(contents.title)
    assert background == ("rgb(18, 20, 25)" if scheme == "dark" else "rgb(248, 247, 243)")
