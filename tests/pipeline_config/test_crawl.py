import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.crawl import CrawlConfig
from pipeline_config.live import LiveCapture
from pipeline_config.load import ConfigError, load_preset
from pipeline_config.pipeline import PipelineConfig

LIVE = {"kind": "live", "seeds": ["http://a.org/"], "contact": "me@a.org"}
KINDS: dict[str, dict[str, Any]] = {
    "live": LIVE,
    "common_crawl": {"kind": "common_crawl", "crawls": "CC-MAIN-2024-10"},
    "warc": {"kind": "warc", "paths": ["a.warc.gz"]},
    "html": {"kind": "html", "paths": ["pages"]},
    "text": {"kind": "text", "paths": ["*.txt"]},
    "jsonl": {"kind": "jsonl", "paths": ["a.jsonl"], "columns": {"text": "body"}},
    "parquet": {"kind": "parquet", "paths": ["a.parquet"]},
    "huggingface": {"kind": "huggingface", "name": "owner/name"},
    "packages": {"kind": "packages"},
    "stdlib": {"kind": "stdlib"},
}


def crawl(source: dict[str, Any], **settings: Any) -> CrawlConfig:
    return CrawlConfig.model_validate({"sources": {"x": source}, **settings})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_fetched_or_read(kind: str) -> None:
    config = crawl(KINDS[kind])
    if config.is_captured("x"):
        assert config.to_fetch("x").kind == kind
        assert config.to_extract("x").source == "x"
        with pytest.raises(TypeError, match="is fetched, not read"):
            config.to_read("x")
    else:
        assert config.to_read("x").reads.kind == kind
        with pytest.raises(TypeError, match="is read, not fetched"):
            config.to_fetch("x")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "live", "seeds": ["http://a.org/"]}, "contact is empty; give a mail address"),
        (LIVE | {"seeds": []}, "at least 1 item"),
        (LIVE | {"seeds": ["a.org"]}, "'a.org' is no web address; write http://host/path"),
        (LIVE | {"seeds": ["ftp://a.org/"]}, "is no web address"),
        (LIVE | {"allow_private": ["localhost"]}, "String should match pattern"),
        (LIVE | {"hosts": ["http://a.org"]}, "String should match pattern"),
        (LIVE | {"delay_seconds": -1}, "greater than or equal to 0"),
        (LIVE | {"user_agent": "my bot/1"}, "String should match pattern"),
        (LIVE | {"url_fields": {"m": "("}}, "is no regular expression"),
        (LIVE | {"url_fields": {"m": "(a)(b)"}}, "must have one group, it has 2"),
        (LIVE | {"depth": 3}, "Extra inputs are not permitted"),
        ({"kind": "common_crawl", "crawls": "2024-10"}, "String should match pattern"),
        ({"kind": "common_crawl", "crawls": "CC-MAIN-2024-10", "base_url": "s3://x/"}, "pattern"),
        ({"kind": "text"}, "Field required"),
        ({"kind": "csv", "paths": ["a.csv"]}, "does not match any of the expected tags"),
        ({"paths": ["a.txt"]}, "Unable to extract tag"),
    ],
)
def test_a_wrong_source_is_refused(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        crawl(source)


def test_source_names_can_be_parts_of_file_names() -> None:
    for name in ("", "A", "a/b", "../x", "a b", "x" * 41):
        with pytest.raises(ValidationError):
            CrawlConfig.model_validate({"sources": {name: KINDS["stdlib"]}})
    with pytest.raises(ValidationError, match="at least 1 item"):
        CrawlConfig.model_validate({"sources": {}})


def test_each_step_depends_on_its_own_settings_only() -> None:
    def keys(**changes: Any) -> list[dict[str, Any]]:
        config = crawl(LIVE | changes)
        return [config.to_fetch("x").model_dump(), config.to_extract("x").model_dump()]

    plain = keys()
    assert keys(delay_seconds=9, concurrency=7, timeout_seconds=5, retries=0) == plain
    fetch, extract = keys(licence="CC0", url_fields={"m": "(.)"})
    assert fetch == plain[0]
    assert extract != plain[1]
    fetch, extract = keys(max_depth=3)
    assert fetch != plain[0]
    assert extract == plain[1]


def test_the_spider_still_gets_what_stays_out_of_the_key() -> None:
    fetch = crawl(LIVE | {"delay_seconds": 9, "concurrency": 7}).to_fetch("x")
    assert isinstance(fetch, LiveCapture)
    assert (fetch.delay_seconds, fetch.concurrency) == (9, 7)


def test_a_new_date_captures_again_what_moves_and_only_that() -> None:
    def job(kind: str, as_of: str) -> dict[str, Any]:
        config = crawl(KINDS[kind], as_of=as_of)
        step = config.to_fetch("x") if config.is_captured("x") else config.to_read("x")
        return step.model_dump()

    moved = {kind for kind in KINDS if job(kind, "2024-01") != job(kind, "2024-02")}
    assert moved == {"live", "huggingface"}
    own = crawl(LIVE | {"as_of": "mine"}, as_of="2024-01").to_fetch("x")
    assert isinstance(own, LiveCapture)
    assert own.as_of == "mine"


def test_a_trial_run_fetches_little() -> None:
    live = crawl(LIVE | {"max_pages": 500}, limit=20).to_fetch("x")
    assert isinstance(live, LiveCapture)
    assert (live.max_pages, live.max_seconds) == (20, 90)
    for seconds, expected in ((600, 90), (30, 30)):
        small = LIVE | {"max_pages": 5, "max_seconds": seconds}
        assert crawl(small, limit=20).to_fetch("x") == LiveCapture.model_validate(
            small | {"max_seconds": expected}
        )
        assert crawl(small).to_fetch("x") == LiveCapture.model_validate(small)
    common = crawl(KINDS["common_crawl"] | {"num_files": 80}, limit=20).to_fetch("x")
    assert isinstance(common, CommonCrawlCapture)
    assert common.num_files == 1


def test_only_kinds_that_hold_pages_depend_on_the_extraction() -> None:
    holding = {
        kind
        for kind in KINDS
        if not crawl(KINDS[kind]).is_captured("x") and crawl(KINDS[kind]).to_read("x").extraction
    }
    assert holding == {"warc", "html"}


def test_the_pages_of_our_own_site_are_labelled_with_their_module() -> None:
    own = {"kind": "live", "serve": "pydoc", "seeds": ["http://pydoc.demo/"]}
    assert set(crawl(own).to_extract("x").labels.url_fields) == {"module", "topic"}
    chosen = crawl(own | {"url_fields": {"m": "(.)"}}).to_extract("x").labels.url_fields
    assert chosen == {"m": "(.)"}
    assert crawl(LIVE).to_extract("x").labels.url_fields == {}


def test_a_mistake_in_a_preset_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("crawl:\n  sources:\n    docs:\n      kind: stdlib\n      exclud: [test]\n")
    with pytest.raises(ConfigError) as caught:
        load_preset(str(path), [], PipelineConfig)
    assert "\n" not in str(caught.value)
    for part in ("mine.yaml", "exclud", "exclude"):
        assert part in str(caught.value)


def test_one_crawl_may_be_written_alone() -> None:
    alone = crawl(KINDS["common_crawl"]).to_fetch("x")
    assert isinstance(alone, CommonCrawlCapture)
    assert alone.crawls == ("CC-MAIN-2024-10",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crawls": []}, "name crawls, or since"),
        ({"crawls": ["CC-MAIN-2024-10"] * 2}, "crawls names one twice"),
        ({"share": 0.5, "num_files": 2}, "num_files and share are both given"),
        ({"select": {"domains": ["a.org"]}, "share": 0.5}, "with select omit them"),
        ({"select": {"domains": ["a.org"]}, "files": "wet"}, "leave files: wet out"),
        ({"select": {}}, "give domains, or index: columnar"),
        ({"select": {"domains": ["http://a.org"]}}, "String should match pattern"),
        ({"select": {"domains": ["127.0.0.1"]}}, "String should match pattern"),
        ({"select": {"domains": ["a.org"], "languages": ["en"]}}, "String should match pattern"),
    ],
)
def test_a_wrong_choice_of_a_crawl_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        crawl(KINDS["common_crawl"] | changes)


def test_domains_are_written_as_the_index_has_them() -> None:
    selected = {"domains": ["Python.ORG.", "Bücher.example", "is"]}
    config = crawl(KINDS["common_crawl"] | {"select": selected}).to_fetch("x")
    assert isinstance(config, CommonCrawlCapture)
    assert config.select is not None
    # the punycode is that of RFC 3492 implementations for "bücher"
    assert config.select.domains == ("python.org", "xn--bcher-kva.example", "is")


def test_a_trial_of_a_common_crawl_is_a_beginning_or_a_few_pages() -> None:
    both = KINDS["common_crawl"] | {"crawls": ["CC-MAIN-2024-10", "CC-MAIN-2024-18"]}
    files = crawl(both | {"share": 0.1}, limit=1_000).to_fetch("x")
    assert isinstance(files, CommonCrawlCapture)
    assert (files.crawls, files.num_files, files.share) == (("CC-MAIN-2024-10",), 1, 0.0)
    assert files.first_bytes == 50_000_000
    selected = {"domains": ["a.org", "b.org", "c.org"], "max_pages": 800}
    pages = crawl(both | {"select": selected}, limit=1_000).to_fetch("x")
    assert isinstance(pages, CommonCrawlCapture)
    assert pages.select is not None
    assert pages.select.max_pages == 334
    assert pages.first_bytes == 0


def test_a_trial_searches_one_file_of_the_columnar_index() -> None:
    def share(**selection: Any) -> float:
        selected = {"select": {"index": "columnar", **selection}}
        found = crawl(KINDS["common_crawl"] | selected, limit=1_000).to_fetch("x")
        assert isinstance(found, CommonCrawlCapture)
        assert found.select is not None
        return found.select.index_share

    assert math.ceil(share(languages=["isl"]) * 300) == 1
    assert share(languages=["isl"], index_share=0.001) == 0.001
    assert share(domains=["a.org"]) == 1  # where they are, statistics tell
