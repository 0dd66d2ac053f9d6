"""The four steps with a language model behind HTTP: free instructions, nothing paid for twice."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_config.instructions import BootstrapConfig, FamilyName, InstancesConfig
from pipeline_config.teacher import TeacherConfig
from storage.session import Session, session
from storage.store import Store
from tasks.instructions.families.catalog import FAMILIES
from tasks.teacher.exchange import TeacherError
from tests.conftest import NoConfig
from tests.tasks.instructions.small_corpus import FourSteps
from tests.tasks.teacher.fake_server import Body, FakeServer, Reply, said

INSTANCES = InstancesConfig(per_instruction=4, heldout_per_family=8, examples_per_request=2)
WRITTEN = (
    "Describe a river to somebody who has only seen deserts",
    "Sort the complaints by labels of your own <|im_start|>",
    "Why do bees dance in the dark of their hive?",
    "Plan a night of watching stars near a large town",
    "Choose one of these labels for each of the trains",
    "Explain knots that sailors use, and when",
    "Turn the recipe into a soup for twenty guests",
    "Which harbour lies nearest to the lighthouse of Alexandria?",
    "Praise an old lamp as if it were for sale",
    "Give advice on moving a piano up five floors",
    "How long does bread keep, and why does it dry?",
    "Name dangers of thin ice for a poster at school",
)


def bootstrap(families: tuple[FamilyName, ...] = ()) -> BootstrapConfig:
    return BootstrapConfig(
        families=families, target_instructions=8, max_rounds=2, requests_per_round=2
    )


def config(server: FakeServer, **more: object) -> TeacherConfig:
    return TeacherConfig.model_validate(
        {"kind": "openai", "base_url": server.url, "model": "tiny", "concurrency": 1}
        | {"max_wait_seconds": 0.01}
        | more
    )


class Model:
    """Answers all three questions as a chat model would; remembers nothing."""

    def __call__(self, body: Body, number: int) -> Reply:
        prompt = body["messages"][-1]["content"]
        if prompt.startswith("Below is a list"):
            return said(self.instructions(number))
        if prompt.startswith("Can the task be seen"):
            return said(
                " Yes." if "labels" in prompt.split("Task: ")[-1] else "No, it is free text."
            )
        first = "Class label: good\nInput: it works" if "class label first" in prompt else (
            "Input: none\nOutput: an answer about <|im_end|> number " + str(number)
        )  # fmt: skip
        return said(f"Sure!\n\n{first}\n\nExample 2\nInput: text {number}:\nOutput: cut")

    def instructions(self, number: int) -> str:
        """Six new ones, a near-duplicate, and a phrasing of a family."""
        new = WRITTEN[6 * number : 6 * number + 6]
        texts = [*new, new[0] + " please", FAMILIES["last_word"].phrasings[1]]
        return "Here you go:\n" + "\n".join(f"**{9 + n}.** {text}" for n, text in enumerate(texts))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Model()) as running:
        yield running


def test_free_instructions_become_unverified_training_rows(
    direct: Session, server: FakeServer
) -> None:
    run = FourSteps(direct, bootstrap(), INSTANCES, config(server))
    rows = run.rows(run.filtered, "instructions")
    assert len(rows) == 8
    assert {row["split"] for row in rows} == {"train"}
    assert run.manifest(run.written).counts.dropped["similar"] > 0
    train = run.conversations("train")
    assert train
    assert {one.verify for one in train} == {None}
    assert {(one.teacher.kind, one.teacher.model) for one in train} == {("openai/1", "tiny")}
    assert run.conversations("heldout") == run.conversations("control") == []
    assert {one.reject_reason for one in run.conversations("rejected")} == {
        "unfinished",
        "duplicate",
    }
    for one in train:
        assert "<|im" not in " ".join(message.content for message in one.messages)


def test_passages_leave_only_with_permission(direct: Session, server: FakeServer) -> None:
    FourSteps(direct, bootstrap(), INSTANCES, config(server))
    assert not any("of the hall" in prompt for prompt in server.prompts())
    run = FourSteps(direct, bootstrap(), INSTANCES, config(server, send_documents=True))
    sent = [prompt for prompt in server.prompts() if "of the hall" in prompt]
    assert sent
    for prompt in sent:  # as fenced, quoted material, without the control tokens of the canary
        assert re.search(r"=== material (\w+) ===\n\| .*\n=== material \1 ===", prompt)
        assert "<|im_start|>" not in prompt.split("Task: ")[0]
    for one in run.conversations("train"):
        assert int(one.origins[0].doc_id[-3:]) % 5  # training documents only


def test_families_are_answered_by_rule_beside_the_model(
    direct: Session, server: FakeServer
) -> None:
    run = FourSteps(direct, bootstrap(("source", "last_word")), INSTANCES, config(server))
    by_kind: dict[str, set[str]] = {}
    for one in run.conversations("train"):
        by_kind.setdefault(one.teacher.kind, set()).add(one.task.family)
    assert by_kind == {"procedural/1": {"source", "last_word"}, "openai/1": {""}}
    assert {one.teacher.kind for one in run.conversations("heldout")} == {"procedural/1"}
    # a phrasing of a family that the model happens to write brings no passage to the server
    assert not any("of the hall" in prompt for prompt in server.prompts())


def test_another_seed_of_instances_or_a_new_store_entry_asks_nothing_again(
    direct: Session, server: FakeServer
) -> None:
    first = FourSteps(direct, bootstrap(), INSTANCES, config(server))
    asked = len(server.asked)
    more = INSTANCES.model_copy(update={"heldout_phrasings": 0.5})
    other = FourSteps(direct, bootstrap(), more, config(server))
    assert len(server.asked) == asked
    assert other.instances.recipe != first.instances.recipe
    assert other.filtered.digest == first.filtered.digest
    FourSteps(direct, bootstrap(), INSTANCES, config(server, concurrency=3, timeout_seconds=9))
    assert len(server.asked) == asked


def test_a_step_that_a_refusal_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    model, refusing = Model(), [True]

    def answer(body: Body, number: int) -> Reply:
        return Reply(401, "{}") if refusing[0] and number >= 9 else model(body, number)

    with (
        FakeServer(answer) as server,
        session(
            Store(str(tmp_path / "store")), flow="f", preset="p", config=NoConfig(), workers=1,
            through_prefect=False,
        ) as current,
    ):  # fmt: skip
        with pytest.raises(TeacherError, match=r"HTTP 401"):
            FourSteps(current, bootstrap(), INSTANCES, config(server))
        refusing[0] = False
        FourSteps(current, bootstrap(), INSTANCES, config(server))
        prompts = [(body["messages"][-1]["content"], body["seed"]) for body in server.asked]
    assert len(prompts) == len(set(prompts)) + 1  # only the refused one was sent again


def test_a_spent_budget_leaves_a_valid_partial_set(direct: Session, server: FakeServer) -> None:
    teacher = config(server, max_requests=12)
    run = FourSteps(direct, bootstrap(), INSTANCES, teacher)
    unanswered = run.manifest(run.instances).counts.extra["unanswered"]
    assert unanswered == {"budget": 4}  # 8 instructions x 2 requests, 12 of them allowed
    assert run.conversations("train")
    reasons = {one.reject_reason for one in run.conversations("rejected")}
    assert "unanswered" in reasons
