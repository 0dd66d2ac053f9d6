from typing import Any

import pytest

from flows.promotion import chat_failures, corpus_failures, promote
from flows.standing import chat_standing
from pipeline_config.load import load_config
from pipeline_config.promotion import PromotionConfig
from storage.artifact import Counts
from storage.runs import RunRecord
from storage.session import session
from storage.steps import step
from storage.store import Store

GATES = PromotionConfig()


def bits(model: float = 1.7) -> dict[str, Any]:
    return {"sources": {"docs": {"model": model, "bigram": 1.9}}}


def scores(z: float = 5.0, control: float = 0.5, accuracy: float = 0.6) -> dict[str, Any]:
    return {
        "overall": {"accuracy": accuracy, "z": z},
        "control": {"overall": {"accuracy": 0.3, "z": control}},
    }


def test_a_good_model_passes() -> None:
    assert chat_failures(bits(), scores(), None, GATES) == []
    assert chat_failures(bits(), scores(), 0.64, GATES) == []


@pytest.mark.parametrize(
    ("found", "current", "why"),
    [
        ((bits(1.9), scores()), None, "on docs, a bigram model has 1.900"),
        ((bits(), scores(z=2.9)), None, "2.9 standard errors over the baseline"),
        ((bits(), scores(control=3.1)), None, "swapped passages"),
        ((bits(), scores(accuracy=0.6)), 0.66, "the current model has 0.660"),
    ],
)
def test_each_gate_says_why_it_does_not_pass(
    found: tuple[dict[str, Any], dict[str, Any]], current: float | None, why: str
) -> None:
    (reason,) = chat_failures(*found, current, GATES)
    assert why in reason


def corpus(kept: int, read: int = 100, **sources: int) -> Counts:
    """The counts of `assemble`."""
    named = {name: {"documents": number} for name, number in sources.items()}
    return Counts(read=read, kept=kept, extra={"sources": named})


def test_a_corpus_that_suddenly_keeps_less_is_not_promoted() -> None:
    assert corpus_failures(corpus(60), corpus(45), GATES) == []
    (reason,) = corpus_failures(corpus(60), corpus(35), GATES)
    assert "keeps 35%" in reason


def test_a_corpus_that_lost_a_source_is_held_back_until_that_is_meant() -> None:
    before = corpus(60, handbook=1_250, tickets=30, gone=0)
    assert corpus_failures(before, corpus(60, handbook=2, tickets=1, more=3), GATES) == []
    (reason,) = corpus_failures(before, corpus(60, handbook=0, tickets=30), GATES)
    assert reason.startswith("it has no documents of handbook (1,250 in the current corpus)")
    assert "--set 'promotion.retired_sources=[handbook]'" in reason
    meant = PromotionConfig(retired_sources=("handbook",))
    assert corpus_failures(before, corpus(60, tickets=30), meant) == []
    (reason,) = corpus_failures(before, corpus(60, other=30), meant)
    assert "retired_sources=[handbook, tickets]" in reason


@step("assemble", version="1")
def assemble(build: Any, sources: dict[str, int]) -> None:
    build.counts.read = build.counts.kept = sum(sources.values())
    build.counts.extra["sources"] = {
        name: {"documents": number} for name, number in sources.items()
    }
    build.add_json("corpus.json", sources)


def refresh(store: Store, sources: dict[str, int], *settings: str) -> RunRecord:
    """A run whose corpus has so many documents of each source, and what it left."""
    config = load_config("demo", settings)
    with session(
        store, flow="f", preset="p", config=config, workers=1, through_prefect=False
    ) as current:
        assemble(sources)
        promote(current, config)
    return current.record


def test_a_run_says_what_became_of_the_current_corpus(store: Store) -> None:
    three = {"docs": 250, "code": 270, "mail": 10}
    first = refresh(store, three)
    assert first.standing == ["current/corpus  now this corpus: 530 documents of 3 sources"]
    again = refresh(store, three)
    assert again.standing == ["current/corpus  is this corpus already: 530 documents of 3 sources"]

    one = refresh(store, {"code": 270})
    assert one.standing == [
        "this corpus     270 documents of 1 source (current/corpus: 530 of 3; without docs, mail)"
    ]
    assert one.promoted == []
    assert one.notes[0].startswith("current/corpus stays where it is: it has no documents of docs")

    meant = refresh(store, {"code": 271}, "promotion.retired_sources=[docs, mail]")
    assert meant.promoted == ["current/corpus"]
    assert meant.standing == [
        "current/corpus  now this corpus: 271 documents of 1 source "
        "(before: 530 of 3; without docs, mail, code 270 -> 271)"
    ]
    trial = refresh(store, {"code": 5, "web": 2}, "crawl.limit=10")
    assert trial.promoted == []
    assert trial.standing == [
        "this corpus     7 documents of 2 sources "
        "(current/corpus: 271 of 1; new web, code 271 -> 5)"
    ]


def test_a_model_is_told_beside_the_current_one() -> None:
    assert chat_standing(0.77, None, moved=True, equal=False).endswith("accuracy 0.770")
    assert chat_standing(0.77, 0.76, moved=True, equal=False) == (
        "current/chat    now this model: accuracy 0.770 (before: 0.760)"
    )
    assert chat_standing(0.5, 0.76, moved=False, equal=False) == (
        "this model      accuracy 0.500 (current/chat: 0.760)"
    )
    assert "already" in chat_standing(0.76, 0.76, moved=True, equal=True)
