"""A whole report's contents, made by hand; the numbers agree with each other."""

import math

import pytest

from tasks.report.contents import (
    Accuracy,
    Answered,
    BitsPerByte,
    ClassifiedSource,
    Classifier,
    Contamination,
    Contents,
    CurvePoint,
    Decontamination,
    DocumentExample,
    DuplicateGroup,
    Duplicates,
    EditExample,
    EvaluationSet,
    FamilyAccuracy,
    GroupMember,
    HeldOutExamples,
    Instructions,
    LanguageShares,
    Measured,
    MixtureWeight,
    Provenance,
    ReasonEdits,
    ReasonExamples,
    RejectedText,
    Rejections,
    ScoreLimit,
    SourceFunnel,
    StepCounts,
    StepSettings,
    TeacherShare,
    TokenCounts,
    TokenizerFacts,
    Training,
)
from tasks.report.duplicates import size_label

MAIL = EditExample("d7", "http://pydoc.demo/email.html", "write to ", "a@b.org", "<EMAIL>", " now")
PAGE = (
    "json — JSON encoder and decoder\n\nModule Reference\nhttps://docs.python.org/3/library/json\n\n"
    "JSON (JavaScript Object Notation) is a subset of JavaScript syntax used as a lightweight data "
    "interchange format. json exposes an API familiar to users of the standard library marshal and "
    "pickle modules. It is derived from a version of the externally maintained simplejson library."
)


def make_training(steps: int, first: float, last: float, parameters: int) -> Training:
    curve = tuple(
        CurvePoint(
            step,
            last + (first - last) * math.exp(-4 * step / steps) + 0.12 * math.sin(step * 1.7),
            3e-3 * min(1.0, step / 40) * (0.1 + 0.9 * (1 - step / steps)),
            step * 2048,
        )
        for step in range(1, steps + 1, max(1, steps // 250))
    )
    shape = (("layers", "4"), ("hidden size", "192"), ("heads", "6"), ("context", "256 tokens"))
    return Training(parameters, shape, curve, steps, steps * 2048)


def _funnels() -> tuple[SourceFunnel, ...]:
    docs = (
        StepCounts(
            "fetch",
            "docs",
            757,
            735,
            (("http_404", 12), ("http_500", 9), ("robots", 1)),
            facts=("pages: 700 unchanged, 35 new",),
            unit="link",
        ),
        StepCounts(
            "extract",
            "docs",
            735,
            731,
            (("too_short", 4),),
            examples=(("too_short", ("http://pydoc.demo/x.html", "javascript:alert(1)")),),
        ),
        StepCounts(
            "decide",
            "docs",
            731,
            472,
            (("gopher_dup_line", 222), ("gopher_stop_words", 30), ("gopher_short_doc", 7)),
            failing=(("gopher_dup_line", 231), ("gopher_short_doc", 64), ("gopher_stop_words", 33)),
            limits=(("gopher_short_doc", "num_words at least 50"),),
        ),
        StepCounts("edit", "docs", 472, 472, edited=3, edits=(("email", 4), ("phone", 1))),
        StepCounts("dedup", "docs", 472, 390, (("near_duplicate", 74), ("exact_duplicate", 8))),
    )
    readmes = (
        StepCounts("read", "readmes", 214, 214),
        StepCounts(
            "decide", "readmes", 214, 168, (("gopher_short_doc", 40), ("gopher_alpha_words", 6))
        ),
        StepCounts("dedup", "readmes", 168, 148, (("near_duplicate", 20),)),
    )
    code = (
        StepCounts("read", "code", 604, 601, (("not_utf8", 3),)),
        StepCounts("decide", "code", 601, 480, (("gopher_stop_words", 121),)),
        StepCounts("dedup", "code", 480, 443, (("near_duplicate", 31), ("exact_duplicate", 6))),
    )
    return tuple(
        SourceFunnel(name, steps)
        for name, steps in (("docs", docs), ("readmes", readmes), ("code", code))
    )


def _examples() -> tuple[ReasonExamples, ...]:
    made = []
    for source in ("docs", "readmes", "code"):
        for step, reason, number in (
            ("decide", "gopher_dup_line", 222),
            ("decide", "gopher_stop_words", 30),
            ("dedup", "near_duplicate", 74),
            ("", "", 390),
        ):
            note = f"{reason} 0.412" if step == "decide" else ""
            examples = tuple(
                DocumentExample(f"{index:032x}", f"http://pydoc.demo/{source}/{index}", PAGE, note)
                for index in range(2)
            )
            made.append(ReasonExamples(step, source, reason, number, examples))
    return tuple(made)


def _duplicates() -> Duplicates:
    members = tuple(
        GroupMember(
            f"{index:032x}",
            f"http://pydoc.demo/encodings.cp{1250 + index}.html",
            "docs",
            index == 0,
            0.0 if index == 0 else 0.98 - 0.02 * index,
            PAGE if index == 0 else "",
        )
        for index in range(5)
    )
    groups = (DuplicateGroup(31, members), DuplicateGroup(5, members))
    sizes = tuple((size_label(n), k) for n, k in ((2, 28), (3, 9), (4, 6), (8, 2), (16, 1)))
    return Duplicates(
        46, 139, sizes, 3, groups, ((0.5, 0.05), (0.7, 0.55), (0.8, 0.92)), 5_120, 1_204
    )


def _classifiers() -> tuple[Classifier, ...]:
    limits = tuple(ScoreLimit(n / 20, 0.6 + n / 50, 1 - n / 25, 1 - n / 20) for n in range(20))
    prose = HeldOutExamples(400, 410, 0.947, 0.881, 0.902, limits)
    sources = (
        ClassifiedSource("docs", (3, 9, 20, 41, 60, 80, 101, 90, 50, 18), 0.7412, None, 420, 43),
        ClassifiedSource("readmes", (90, 31, 12, 0, 2, 1, 5, 8, 11, 8)),
    )
    return (
        Classifier("prose", 3_600, 3_590, prose, sources),
        Classifier("toxic", 0, 0, None, sources[1:]),
    )


def _decontamination() -> Decontamination:
    sets = (
        EvaluationSet("school", 1_319, 1_290, 27, 2, (("docs", 2, 3), ("code", 1, 1))),
        EvaluationSet("riddles", 40, 3, 37, 0, ()),
    )
    found = (
        Contamination(
            "docs", "http://pydoc.demo/q.html", "school", 7, "question", "ngram", 0.4, PAGE
        ),
        Contamination("code", "http://pydoc.demo/r.html", "school", 12, "", "whole", 1.0, "Why?"),
    )
    return Decontamination(sets, found)


def _accuracy() -> Accuracy:
    rows = (
        ("which source", 0.91, 0.52, "bag of words"),
        ("which module", 0.62, 0.31, "bag of words"),
        ("prose or code", 0.97, 0.66, "majority"),
        ("first word", 0.44, 0.18, "majority"),
        ("sorted or not", 0.52, 0.5, "majority"),
    )
    families = tuple(
        FamilyAccuracy(
            name,
            Measured(0.02, 0.01, 200),
            Measured(after, math.sqrt(after * (1 - after) / 200), 200),
            baseline,
            kind,
        )
        for name, after, baseline, kind in rows
    )
    overall = FamilyAccuracy(
        "overall", Measured(0.02, 0.004, 1000), Measured(0.692, 0.0146, 1000), 0.434, "per family"
    )
    control = FamilyAccuracy("control", None, Measured(0.33, 0.033, 200), 0.34, "majority")
    return Accuracy(families, overall, control)


def _instructions() -> Instructions:
    near = RejectedText(
        "Say which module the passage documents.", "Say which module this passage documents.", 0.83
    )
    wrong = RejectedText("Is this prose or code?\nx = 1\n→ prose")
    return Instructions(
        teachers=(TeacherShare("procedural/1", False, 261),),
        steps=(
            StepCounts("write-instructions", "", 420, 261, (("similar", 148), ("too_short", 11))),
            StepCounts("identify-classification", "", 261, 261),
            StepCounts("write-instances", "", 9100, 8840, (("wrong_answer", 260),)),
            StepCounts("filter-instances", "", 8840, 8312, (("conflict", 402), ("twice", 126))),
        ),
        accepted=("Say which module this passage documents.", "Is the following prose or code?"),
        rejected=(
            Rejections("write-instructions", "similar", 148, (near,)),
            Rejections("filter-instances", "wrong_answer", 260, (wrong,)),
        ),
        splits=(("train", 7200), ("heldout", 900), ("control", 212), ("rejected", 788)),
        families=(("which source", 3600), ("prose or code", 3600)),
        max_rouge=0.7,
        rouge_histogram=tuple((edge / 20, 5 + (edge * 37) % 41) for edge in range(20)),
        examples=(
            ("which source", f"Where does this come from?\n\n{PAGE}", "docs"),
            ("prose or code", "Is this prose or code?\n\ndef main():\n    return 0", "code"),
        ),
    )


@pytest.fixture
def contents() -> Contents:
    """What a full run of the demo might give."""
    return Contents(
        title="From a crawl to a chat model",
        funnels=_funnels(),
        examples=_examples(),
        edits=(ReasonEdits("edit", "docs", "email", 4, (MAIL,)),),
        languages=(
            LanguageShares("docs", 731, (("en", 702), ("de", 14), ("la", 9), ("other", 6))),
            LanguageShares("readmes", 214, (("en", 209), ("zh", 5))),
            LanguageShares("code", 601, (("en", 601),)),
        ),
        classifiers=_classifiers(),
        duplicates=_duplicates(),
        decontamination=_decontamination(),
        tokenizer=TokenizerFacts(
            4096,
            (
                TokenCounts("docs", 390, 800_000, 42_000, 2_540_000),
                TokenCounts("readmes", 148, 440_000, 21_000, 1_400_000),
                TokenCounts("code", 443, 2_600_000, 130_000, 9_700_000),
            ),
            ("                ", " documentation", " implementation"),
        ),
        mixture=(
            MixtureWeight("docs", 0.41, 0.208, 800_000, 1.06),
            MixtureWeight("readmes", 0.25, 0.115, 440_000, 1.18),
            MixtureWeight("code", 0.34, 0.677, 2_600_000, 0.27),
        ),
        pretrain=make_training(1010, 8.2, 4.3, 2_556_096),
        bits_per_byte=(
            BitsPerByte("docs", 1.642, 2.31, 20, 126_000),
            BitsPerByte("readmes", 2.104, 2.688, 8, 70_000),
            BitsPerByte("code", 1.713, 2.402, 22, 480_000),
        ),
        instructions=_instructions(),
        sft=make_training(420, 3.1, 0.4, 2_556_096),
        accuracy=_accuracy(),
        samples=(
            Answered(
                f"Where does this come from?\n\n{PAGE[:200]}",
                "the the the",
                "docs",
                "docs",
                "right",
                "which source",
            ),
            Answered(
                "What does the json module do?",
                "json\n\n\n",
                "It is a module of json.",
            ),
            Answered("Is this prose or code?\n\nx = 1", None, "prose", "code", "wrong", "prose"),
        ),
        settings=(
            StepSettings(
                "decide",
                ("decide/code", "decide/docs"),
                (("rules.gopher_quality.min_words", "50"),),
            ),
        ),
        provenance=(
            Provenance("fetch/docs", "1", "ab" * 32, "cd" * 32, 735, ("scrapy 2.13.3",)),
            Provenance("dedup", "1", "12" * 32, "34" * 32, 1546, ("numba 0.61.2",)),
        ),
    )
