from pathlib import Path

import pyarrow as pa
import pytest

from pipeline_config.edits import (
    C4LineRules,
    EditConfig,
    EditRules,
    RefinedWebLineRules,
    RepeatedLineRules,
    WordRules,
)
from pipeline_config.pii import PiiRules
from storage.artifact import ArtifactRef, Counts
from storage.build import Build
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA, apply_edits, kept_rows
from storage.session import Session
from storage.steps import step
from storage.tables import read_table
from tasks.quality.edit import edit_text, first_of_overlapping, merge_cuts
from tasks.quality.task import edit, find_boilerplate

NO_PII = PiiRules(enabled=False)
FOOTER = "Copyright by the example company, all rights reserved"


def result(text: str, rules: EditRules, **given: object) -> tuple[str, list[str], str]:
    """The text as the edits leave it, their reasons, and the reason why it is dropped."""
    found = edit_text(text, rules, **given)  # type: ignore[arg-type]
    spans = [(one["start"], one["end"], one["replacement"]) for one in found.edits]
    return apply_edits(text, spans), [one["reason"] for one in found.edits], found.reason


def test_what_is_personal_becomes_a_placeholder() -> None:
    text = "Ask jane@example.org or 8.8.8.8."
    expected = ("Ask <EMAIL> or <IP_ADDRESS>.", ["email", "ip_address"], "")
    assert result(text, EditRules()) == expected
    assert result(text, EditRules(pii=PiiRules(max_found=1))) == (text, [], "pii")
    assert result(text, EditRules(pii=NO_PII)) == (text, [], "")


def test_cut_lines_take_what_is_personal_in_them_along() -> None:
    rules = EditRules(c4_lines=C4LineRules(enabled=True))
    text = "This line ends as it should.\nMail jane@example.org for more\nSo does this one.\n"
    left, reasons, _ = result(text, rules)
    assert left == "This line ends as it should.\nSo does this one.\n"
    assert len(reasons) == 1


def test_a_page_that_loses_too_many_words_is_dropped() -> None:
    rules = EditRules(refinedweb_lines=RefinedWebLineRules(enabled=True), pii=NO_PII)
    prose = "A line of words that stays as it is. " * 5
    # 1 of 46 words is 2 %; 3 of 48 are 6 %.
    assert result(f"{prose.strip()}\n2023", rules) == (
        f"{prose.strip()}\n",
        ["refinedweb_digits"],
        "",
    )
    assert result(f"{prose.strip()}\n2023\n2024\n2025", rules)[2] == "refinedweb_lines"


def test_lines_that_come_again_are_cut() -> None:
    rules = EditRules(repeated_lines=RepeatedLineRules(enabled=True, min_pages=None), pii=NO_PII)
    text = f"{FOOTER}\nend\nend\n{FOOTER.upper()}\nlast"
    assert result(text, rules) == (f"{FOOTER}\nend\nend\nlast", ["repeated_line"], "")
    paragraphs = RepeatedLineRules(enabled=True, unit="paragraph", min_pages=None)
    assert result(text, EditRules(repeated_lines=paragraphs, pii=NO_PII))[0] == text
    twice = f"{FOOTER}\nand more\n\n{FOOTER}\nand more\n\nend"
    assert result(twice, EditRules(repeated_lines=paragraphs, pii=NO_PII))[0] == (
        f"{FOOTER}\nand more\n\nend"
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("drop", ("fine\nwhat the Heck\nheckler\n世界", [], "listed_words")),
        ("cut_line", ("fine\nheckler\n", ["listed_word"] * 2, "")),
        ("mask", ("fine\n<WORD>\nheckler\n<WORD>", ["listed_word"] * 2, "")),
    ],
)
def test_listed_words(action: str, expected: tuple[str, list[str], str]) -> None:
    rules = EditRules.model_validate({"words": {"action": action}, "pii": {"enabled": False}})
    text = "fine\nwhat the Heck\nheckler\n世界"
    assert (
        result(text, rules, words=("heck", "what the heck", "界", "# comment"))[1:] == expected[1:]
    )
    if action != "mask":
        assert result(text, rules, words=("heck", "what the heck", "界"))[0] == expected[0]
    else:
        assert result(text, rules, words=("heck", "what the heck", "世界"))[0] == expected[0]


def test_a_document_of_which_nothing_is_left_is_dropped() -> None:
    rules = EditRules(c4_lines=C4LineRules(enabled=True))
    assert result("menu\nhome", rules) == ("menu\nhome", [], "empty_after_edits")


def test_overlaps_by_hand() -> None:
    assert merge_cuts([(5, 8, "x"), (0, 6, "y"), (8, 9, "z")]) == [(0, 8, "y"), (8, 9, "z")]
    changes = [(0, 4, "", "cut"), (2, 8, "<P>", "phone"), (9, 10, "<K>", "key")]
    assert first_of_overlapping(changes) == [
        (0, 4, "", "cut"),
        (4, 8, "", "phone"),
        (9, 10, "<K>", "key"),
    ]


def test_a_source_differs_in_the_keys_it_gives() -> None:
    config = EditConfig.model_validate(
        {"pii": {"max_found": 9}, "sources": {"code": {"pii": {"enabled": False}}}}
    )
    assert config.for_source("code").pii == PiiRules(enabled=False, max_found=9)
    assert config.for_source("docs").pii == PiiRules(max_found=9)


# ---- the steps

PAGES = [f"Page number {n} says this and that at length.\n{FOOTER}" for n in range(5)]


@step("documents", version="1")
def make_documents(build: Build, texts: list[str]) -> None:
    for number in range(2):
        rows = [
            {name: "" for name in DOCUMENT_SCHEMA.names}
            | {"id": f"{index:02d}", "text": text, "warc_offset": -1}
            for index, text in enumerate(texts)
            if index % 2 == number
        ]
        table = pa.Table.from_pylist(rows, DOCUMENT_SCHEMA)
        build.add_table(f"{number:05d}.parquet", table, DOCUMENT_SCHEMA)


@step("decisions", version="1")
def make_decisions(build: Build, documents: ArtifactRef, dropped: list[str]) -> None:
    for entry, path in zip(build.files(documents), build.paths(documents), strict=True):
        ids = read_table(path)["id"].to_pylist()
        rows = [
            {
                "id": one,
                "kept": one not in dropped,
                "reason": "short" if one in dropped else "",
                "duplicate_of": "",
                "similarity": 0.0,
            }
            for one in ids
        ]
        table = pa.Table.from_pylist(rows, DECISION_SCHEMA)
        build.add_table(entry.name, table, DECISION_SCHEMA)


def counts_of(session: Session, ref: ArtifactRef) -> Counts:
    return session.store.manifest_of(ref).counts


def test_boilerplate_is_cut_from_all_pages_that_have_it(direct: Session) -> None:
    documents = make_documents([*PAGES, "a page without it"])
    decided = make_decisions(documents, ["04"])
    repeated = RepeatedLineRules(enabled=True, min_pages=4)
    rules = EditRules(repeated_lines=repeated)
    lines = find_boilerplate(documents, decided, repeated)
    assert counts_of(direct, lines).extra["boilerplate_lines"] == 1  # on the four kept pages
    edited = edit(documents, decided, lines, rules)
    counts = counts_of(direct, edited)
    assert (counts.read, counts.kept, counts.edited, counts.dropped) == (5, 5, 4, {})

    files = {
        ref: [direct.store.blob_path(e) for e in direct.store.manifest_of(ref).files]
        for ref in (documents, edited)
    }
    pairs = zip(files[documents], files[edited], strict=True)
    texts = [t for pair in pairs for t in kept_rows(*pair, columns=["text"])["text"].to_pylist()]
    assert FOOTER not in "".join(texts)
    reasons = [r for path in files[edited] for r in read_table(path)["reason"].to_pylist()]
    assert reasons.count("quality") == 1

    more = RepeatedLineRules(enabled=True, min_pages=5)
    none = find_boilerplate(documents, decided, more, label="more")
    assert counts_of(direct, none).extra["boilerplate_lines"] == 0


def test_another_word_list_edits_again(direct: Session, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("this\n")
    rules = EditRules(words=WordRules(lists=(str(words),), action="mask"))
    documents = make_documents(PAGES)
    decided = make_decisions(documents, [])
    first = edit(documents, decided, None, rules)
    assert counts_of(direct, first).edited == 5
    words.write_text("absent\n")
    second = edit(documents, decided, None, rules)
    assert counts_of(direct, second).edited == 0
    assert first.recipe != second.recipe


def test_a_useless_entry_of_a_list_is_refused(direct: Session, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("heck\n\u00ad\n", encoding="utf-8")
    documents = make_documents(PAGES)
    decided = make_decisions(documents, [])
    with pytest.raises(ValueError, match=r"lists: '\\xad' has no visible character"):
        edit(documents, decided, None, EditRules(words=WordRules(lists=(str(words),))))


def test_nothing_left_fails_with_the_funnel(direct: Session) -> None:
    documents = make_documents(["menu", "home"])
    decided = make_decisions(documents, [])
    with pytest.raises(ValueError, match=r"keeps nothing: read 2, .*empty_after_edits 2"):
        edit(documents, decided, None, EditRules(c4_lines=C4LineRules(enabled=True)))
