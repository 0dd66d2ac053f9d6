"""The four steps with the procedural teacher, over a small corpus."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline_config.instructions import BootstrapConfig, InstancesConfig
from pipeline_config.teacher import TeacherConfig
from storage.session import Session, session
from storage.store import Store
from tasks.instructions.families.catalog import FAMILIES
from tasks.instructions.rows import input_of
from tasks.teacher.fence import defuse
from tasks.teacher.verify import verify
from tests.conftest import NoConfig
from tests.tasks.instructions.small_corpus import FourSteps, document_text

BOOTSTRAP = BootstrapConfig(families=("source", "last_word", "capital", "which_source"))
INSTANCES = InstancesConfig(
    per_instruction=6,
    heldout_per_family=20,
    max_attempts=10,
    max_passage_words=12,
    max_passage_chars=100,
)
TEACHER = TeacherConfig(fault_share=0.15)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FourSteps:
    store = Store(str(tmp_path_factory.mktemp("run") / "store"))
    with session(
        store, flow="f", preset="p", config=NoConfig(), workers=1, through_prefect=False
    ) as current:
        return FourSteps(current, BOOTSTRAP, INSTANCES, TEACHER)


def test_all_phrasings_are_accepted_and_every_fault_is_rejected(run: FourSteps) -> None:
    accepted = run.rows(run.written, "instructions")
    phrasings = {text for name in BOOTSTRAP.families for text in FAMILIES[name].phrasings}
    assert {row["text"] for row in accepted} <= phrasings
    assert len(accepted) > 0.9 * len(phrasings)
    counts = run.manifest(run.written).counts
    made = counts.extra["faults_made"]
    whole = made["blacklisted"] - made["truncated"]  # a cut answer may lose one
    assert counts.dropped["blacklisted"] >= whole > 0
    assert counts.dropped["truncated"] == made["truncated"] > 0
    assert counts.read == counts.kept + sum(counts.dropped.values())


def test_every_instruction_names_its_nearest_neighbour_below_the_threshold(run: FourSteps) -> None:
    rows = run.rows(run.filtered, "instructions")
    names = {str(row["id"]): row for row in rows}
    for row in rows:
        assert 0 < float(str(row["rouge_max"])) < 0.7
        nearest = names.get(str(row["nearest_id"]))
        assert nearest is None or nearest["text"] == row["nearest"]
        assert row["nearest_id"] != row["id"]
    for row in run.rows(run.written, "rejected"):
        assert row["reason"] != "similar" or float(str(row["rouge_max"])) >= 0.7


def test_each_instruction_has_the_instances_that_were_asked_for(run: FourSteps) -> None:
    rows = run.rows(run.filtered, "instructions")
    train = Counter(one.task.instruction_id for one in run.conversations("train"))
    assert train == {str(row["id"]): 6 for row in rows if row["split"] == "train"}
    heldout = Counter(one.task.family for one in run.conversations("heldout"))
    assert set(heldout) == set(BOOTSTRAP.families)
    assert all(20 <= number <= 23 for number in heldout.values())  # shared by 3 phrasings


def test_what_the_teacher_got_wrong_is_what_was_rejected(run: FourSteps) -> None:
    counts = run.manifest(run.instances).counts
    made = dict(counts.extra["faults_made"])
    cut = counts.dropped.pop("truncated")
    assert cut == made.pop("truncated")
    # a fault in the item that the length limit cut is not seen as itself
    assert set(counts.dropped) == set(made)
    hidden = {fault: made[fault] - number for fault, number in counts.dropped.items()}
    assert min(hidden.values()) >= 0
    assert sum(hidden.values()) <= cut / 2


def test_every_row_rests_on_kept_documents_of_its_side(run: FourSteps) -> None:
    for side, held_out in (("train", False), ("heldout", True), ("control", True)):
        for one in run.conversations(side):
            assert one.origins
            for origin in one.origins:
                number = int(origin.doc_id[-3:])
                assert (number % 5 == 0) is held_out
                assert number != 29
                assert origin.licence == "CC0"
                assert origin.cluster == f"cluster-{origin.doc_id}"


def test_a_passage_is_found_where_its_origin_says(run: FourSteps) -> None:
    for one in run.conversations("train"):
        if len(one.origins) == 1:
            (origin,) = one.origins
            number = int(origin.doc_id[-3:])
            words = defuse(" ".join(document_text(origin.source, number).split())).split(" ")
            span = words[origin.start : origin.start + origin.words]
            assert " ".join(span) == input_of(one)


def test_control_rows_ask_about_another_passage(run: FourSteps) -> None:
    heldout, control = run.conversations("heldout"), run.conversations("control")
    for one, other in zip(heldout, control, strict=True):
        assert one.task == other.task
        assert one.messages[-1] == other.messages[-1]
        assert input_of(one) != input_of(other)
        assert one.verify == other.verify
    for name in BOOTSTRAP.families:  # every input is used once again: a derangement
        inputs = [
            sorted(input_of(one) for one in side if one.task.family == name)
            for side in (heldout, control)
        ]
        assert inputs[0] == inputs[1]


def test_documents_stay_data(run: FourSteps) -> None:
    seen = False
    for side in ("train", "heldout", "control", "rejected"):
        for one in run.conversations(side):
            assert [message.role for message in one.messages] == ["user", "assistant"]
            text = " ".join(message.content for message in one.messages)
            assert "<|im" not in text
            assert "[INST]" not in text
            seen = seen or "PWNED" in text
            assert one.reject_reason or one.verify is not None
            if not one.reject_reason and side != "control":
                assert one.verify is not None
                assert verify(one.verify, one.messages[-1].content)
    assert seen  # the canary was quoted, so the test means something


def test_a_family_without_its_source_is_counted_not_fatal(direct: Session) -> None:
    config = BootstrapConfig(families=("which_source", "last_word"), target_instructions=12)
    run = FourSteps(direct, config, INSTANCES, TeacherConfig(), sources=("docs",))
    assert {one.task.family for one in run.conversations("train")} == {"last_word"}
    assert run.manifest(run.instances).counts.dropped["no_passage"] == 6


def test_nobody_to_ask_is_an_error_that_says_what_to_set(direct: Session) -> None:
    with pytest.raises(ValueError, match=r"instructions\.bootstrap\.families is empty; name"):
        FourSteps(direct, BootstrapConfig(families=()), INSTANCES, TeacherConfig())


def test_a_seed_changes_the_outcome_and_a_second_run_is_cached(direct: Session) -> None:
    one = FourSteps(direct, BOOTSTRAP, INSTANCES, TEACHER)
    again = FourSteps(direct, BOOTSTRAP, INSTANCES, TEACHER)
    other = FourSteps(direct, BOOTSTRAP, INSTANCES, TEACHER, seed=1)
    assert one.filtered == again.filtered
    assert one.filtered.digest != other.filtered.digest


DIGEST = """
import sys
from storage.session import session
from storage.store import Store
from tests.conftest import NoConfig
from tests.tasks.instructions.small_corpus import FourSteps
from tests.tasks.instructions.test_procedural_run import BOOTSTRAP, INSTANCES, TEACHER
with session(Store(sys.argv[1]), flow="f", preset="p", config=NoConfig(), workers=1,
             through_prefect=False) as current:
    print(FourSteps(current, BOOTSTRAP, INSTANCES, TEACHER).filtered.digest)
"""


def test_the_hash_seed_changes_nothing(run: FourSteps, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", DIGEST, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == run.filtered.digest, result.stderr
