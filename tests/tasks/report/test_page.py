import re
from dataclasses import replace
from html.parser import HTMLParser

from pipeline_config.report import ReportConfig
from tasks.report.contents import (
    Answered,
    ClassifiedSource,
    Contents,
    DocumentExample,
    EditExample,
    GroupMember,
    LanguageShares,
    ReasonEdits,
    ReasonExamples,
    RejectedText,
    Rejections,
    SourceFunnel,
    StepCounts,
    StepSettings,
    TeacherShare,
)
from tasks.report.page import draw_page
from tasks.report.picture import picture_of
from tasks.report.results import write_results
from tasks.report.summary import MAX_BYTES, write_summary

EVIL = (
    "</style></script><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<!-- run:begin --> \x1b[2J \u202egnp ```\n# h\n| a | \"'> {{ 7*7 }} javascript:alert(3)"
)
ELEMENTS = """
    html head meta title link style body a header nav ol ul li main section div span p h1 h2 h3
    dl dt dd small b i br code strong figure figcaption blockquote article details summary table
    thead tbody tr th td footer svg path rect text tspan line circle defs lineargradient stop
"""
ALLOWED = set(ELEMENTS.split())


class Tags(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "link", "br", "path", "rect", "line", "circle", "stop"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def make_hostile(contents: Contents) -> Contents:
    """The same report with every crawled or generated text turned hostile."""
    example = DocumentExample("0" * 32, "javascript:alert(1)//" + EVIL, EVIL, EVIL)
    assert contents.duplicates is not None
    assert contents.instructions is not None
    group = contents.duplicates.largest[0]
    member = GroupMember("0" * 32, EVIL, EVIL, False, 0.9, EVIL)
    return replace(
        contents,
        title=EVIL[:90],
        funnels=(
            *contents.funnels,
            SourceFunnel(EVIL, (StepCounts("read", EVIL, 5, 4, ((EVIL, 1),)),)),
        ),
        examples=(ReasonExamples("decide", "docs", EVIL, 1, (example,)),),
        edits=(
            ReasonEdits(
                "edit", "docs", EVIL, 1, (EditExample("0" * 32, EVIL, EVIL, EVIL, EVIL, EVIL),)
            ),
        ),
        duplicates=replace(
            contents.duplicates, largest=(replace(group, members=(member, member)),)
        ),
        instructions=replace(
            contents.instructions,
            teachers=(TeacherShare(EVIL, False, 1),),
            accepted=(EVIL,),
            rejected=(Rejections("filter-instances", EVIL, 1, (RejectedText(EVIL, EVIL, 0.9),)),),
            examples=((EVIL, EVIL, EVIL),),
            families=((EVIL, 3),),
        ),
        samples=(Answered(EVIL, EVIL, EVIL, EVIL, "wrong", EVIL),),
        settings=(StepSettings(EVIL, (EVIL,), ((EVIL, EVIL),)),),
    )


def test_page_is_one_well_formed_file_without_requests(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    tags = Tags(page)
    assert tags.open == []
    assert tags.tags <= ALLOWED
    for _, name, value in tags.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "action"}
        if name == "href":
            assert re.match(r"(#|data:,$|https?://)", value)
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_every_section_is_there_and_linked(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    links = re.findall(r'<li><a href="#([a-z]+)"', page)
    assert len(links) == 17
    assert links == re.findall(r'<section id="([a-z]+)"', page)


def test_a_corpus_alone_has_a_report(contents: Contents) -> None:
    corpus = Contents(title="Corpus", funnels=contents.funnels, duplicates=contents.duplicates)
    page = draw_page(corpus, ReportConfig())
    assert re.findall(r'<section id="([a-z]+)"', page) == ["picture", "funnel", "duplicates", "run"]
    assert "981 documents kept of 1,553 found in 3 sources (22 links gave no page)" in page
    assert write_summary(corpus)


def test_an_empty_report_still_draws() -> None:
    assert "nothing" in draw_page(Contents(title="nothing"), ReportConfig())
    assert write_summary(Contents(title="nothing")).startswith("# nothing")


def test_hostile_text_adds_no_element_and_no_link(contents: Contents) -> None:
    tame, hostile = (
        Tags(draw_page(each, ReportConfig())) for each in (contents, make_hostile(contents))
    )
    assert hostile.open == []
    assert hostile.tags <= ALLOWED
    assert "script" not in hostile.tags
    assert "img" not in hostile.tags
    links = {value for _, name, value in hostile.attributes if name == "href"}
    assert all(re.match(r"(#|data:,$|https?://)", link) for link in links)
    assert {name for _, name, _ in hostile.attributes} <= {name for _, name, _ in tame.attributes}


def test_hostile_text_is_shown_as_marks(contents: Contents) -> None:
    page = draw_page(make_hostile(contents), ReportConfig())
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "␛[2J ⟨U+202E⟩gnp" in page
    assert "{{ 7*7 }}" in page  # shown, not computed
    assert page.count("<!-- run:begin -->") == 1
    assert page.count("</style>") == 1


def test_hostile_text_cannot_leave_the_summary(contents: Contents) -> None:
    summary = write_summary(make_hostile(contents))
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", summary)  # code blocks show text as it is
    assert "<script" not in outside
    assert "<img src=x" not in outside
    assert "javascript:" not in outside
    assert "\x1b" not in summary
    mermaid = re.search(r"(?s)```mermaid\n(.*?)\n```", summary)
    assert mermaid is not None
    for line in mermaid.group(1).splitlines():
        assert line.count('"') % 2 == 0
        assert "click" not in line.replace("#99;lick", "")


def test_numbers_on_the_page_are_those_of_the_contents(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for funnel in contents.funnels:
        for step in funnel.steps:
            for reason, number in step.dropped:
                assert f"{reason} {number:,}" in text
    for row in contents.bits_per_byte:
        assert f"{row.model:.3f} {row.baseline:.3f}" in text
    assert "69 % baseline 43 %" in text


def test_same_contents_same_bytes(contents: Contents) -> None:
    assert draw_page(contents, ReportConfig()) == draw_page(contents, ReportConfig())
    assert write_summary(contents) == write_summary(contents)


def test_summary_fits_the_dashboard(contents: Contents) -> None:
    samples = (Answered("x" * 3000, "y" * 3000, "z" * 3000),) * 50
    summary = write_summary(replace(contents, samples=samples))
    assert len(summary.encode()) <= MAX_BYTES
    assert "```mermaid" in summary
    assert "data:image/svg+xml;base64," in summary


def test_many_sources_fold_into_one_lane(contents: Contents) -> None:
    funnels = tuple(
        SourceFunnel(f"s{n}", (StepCounts("read", f"s{n}", 100 - n, 50),)) for n in range(20)
    )
    lanes = picture_of(replace(contents, funnels=funnels, mixture=())).lanes
    assert len(lanes) == 8
    assert lanes[-1].source == "13 more sources"
    assert sum(lane.counts[0] for lane in lanes) == sum(100 - n for n in range(20))


def test_the_funnel_says_where_dropped_records_are_from(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    funnel = page.split('<section id="funnel">')[1].split("</section>")[0]
    assert 'href="http://pydoc.demo/x.html"' in funnel
    assert '<span class="url">javascript:alert(1)</span>' in funnel  # shown, but no link
    assert "pages: 700 unchanged, 35 new" in funnel


def test_what_a_crawl_asked_for_has_its_unit(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "docs 735 documents found, 390 kept Crawl 735 of 757 links" in text
    assert "22 of 757 links gave no page, and are not among the found: http_404 12" in text
    assert "gopher_short_doc 7 64 8.8 % num_words at least 50" in text
    assert "| fetch/docs | 757 links | 22 | 735 |" in write_summary(contents)


def test_a_trial_says_so_before_anything_else(contents: Contents) -> None:
    trial = replace(contents, trial=200)
    page, said = draw_page(trial, ReportConfig()), "Trial: at most 200 documents per source"
    assert page.count(said) == 1
    assert page.index(said) < page.index("documents kept of")
    assert "<title>Trial · " in page
    for text in (write_summary(trial), write_results(trial)):
        assert text.index(said) < text.index("documents kept of")
    assert "Trial" not in draw_page(contents, ReportConfig())


def test_a_language_has_one_colour_over_all_sources(contents: Contents) -> None:
    """`en` is the most frequent of all: 702 + 20 + 601; `de` comes next with 14 + 190."""
    rows = (
        contents.languages[0],
        LanguageShares("readmes", 214, (("de", 190), ("en", 20), ("other", 4))),
        contents.languages[2],
    )
    page = draw_page(replace(contents, languages=rows), ReportConfig())
    found = re.findall(r'class="swatch (l\d)"></i>(\w+)', page)
    assert found == [
        *(("l1", "en"), ("l2", "de"), ("l3", "la"), ("l0", "other")),
        *(("l2", "de"), ("l1", "en"), ("l0", "other")),
        ("l1", "en"),
    ]


def test_a_classifier_says_of_how_many_it_keeps_a_share(contents: Contents) -> None:
    page = draw_page(contents, ReportConfig())
    shown = page.split('<section id="classifiers">')[1].split("</section>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "from 0.7412 on: 43 of the 420 documents that passed all other rules" in text
    # Below 0.7412 are seven tenths; the limit lies at 41 % of the eighth.
    prose = shown.split("</details>")[0]
    assert prose.count('class="over"') == 7
    assert prose.count('<i class="limit" style="left:41.2%"></i>') == 1


def test_limits_lie_in_their_tenth() -> None:
    between = ClassifiedSource("a", (0,) * 10, 0.3, 1.0)
    assert [between.outside(tenth) for tenth in range(10)] == [True] * 3 + [False] * 7
    assert between.limits_in(3) == (0.0,)
    assert between.limits_in(9) == (1.0,)  # the last tenth has both its ends
    toxic = ClassifiedSource("a", (0,) * 10, max_score=0.45)
    assert [toxic.outside(tenth) for tenth in range(10)] == [False] * 5 + [True] * 5
    assert not ClassifiedSource("a", (0,) * 10).limited
