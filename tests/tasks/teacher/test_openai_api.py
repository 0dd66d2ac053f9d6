"""A language model over HTTP, against a server that does what servers do."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest

from tasks.teacher.budget import Budget
from tasks.teacher.exchange import Params, Request, TeacherError, Turn
from tasks.teacher.openai_api import Endpoint, OpenAITeacher, retry_after_seconds
from tasks.teacher.responses import ResponseStore
from tests.tasks.teacher.fake_server import FakeServer, Reply, said, scripted

PARAMS = Params(max_tokens=20)
HTML = Reply(503, "<html>overloaded</html>", content_type="text/html")


def ask(text: str, **more: object) -> Request:
    return replace(Request("test", (Turn("user", text),), PARAMS), **more)  # type: ignore[arg-type]


@contextmanager
def teacher_at(
    url: str,
    path: Path,
    *,
    max_requests: int = 100,
    max_tokens: int = 100_000,
    scope: str = "recipe",
    **endpoint: object,
) -> Iterator[OpenAITeacher]:
    quick = {"max_wait_seconds": 0.01, "concurrency": 1, "timeout_seconds": 5.0} | endpoint
    store = ResponseStore(path / "responses.sqlite", scope)
    budget = Budget(max_requests, max_tokens, store.spent())
    made = OpenAITeacher(Endpoint(url, "tiny", **quick), store, budget)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


def test_answers_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    def answer(body: dict[str, list[dict[str, str]]], _: int) -> Reply:
        text = body["messages"][-1]["content"]
        return replace(said(text.upper()), seconds=0.05 if text == "a" else 0.0)

    with FakeServer(answer) as server, teacher_at(server.url, tmp_path, concurrency=4) as teacher:
        responses = teacher.answer([ask(text) for text in "abcd"])
    assert [response.text for response in responses] == ["A", "B", "C", "D"]
    assert {response.model for response in responses} == {"tiny"}
    assert server.most_in_flight <= 4


def test_what_is_sent_is_the_prompt_and_how_to_sample_but_no_vars(tmp_path: Path) -> None:
    request = ask("hello", vars={"answer": "secret truth"}, params=Params(0.7, 0.5, 20, ("\n9.",)))
    with scripted(said("hi")) as server, teacher_at(server.url, tmp_path) as teacher:
        teacher.answer([request])
    (body,) = server.asked
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.7, 0.5, 20)
    assert body["stop"] == ["\n9."]
    assert "secret truth" not in str(body)


@pytest.mark.parametrize(
    "fault",
    [
        Reply(429, "{}", {"Retry-After": "0"}),
        Reply(429, "{}", {"Retry-After": "soon"}),
        Reply(500, "{}"),
        HTML,
        Reply(200, '{"choices": [{"mess'),
        Reply(200, "<html>please log in</html>", content_type="text/html"),
        Reply(200, '{"choices": []}'),
        Reply(200, '{"choices": null}'),
        Reply(200, '{"error": {"message": "overloaded"}}'),
        Reply(200, "[" * 200_000),
        Reply(200, "{}", cut_bytes=10),
        Reply(200, said("late").body, seconds=0.6),
        Reply(200, "x" * (8 * 2**20 + 1)),
    ],
    ids=lambda fault: f"{fault.status} {fault.body[:20]} {fault.headers.get('Retry-After', '')}",
)
def test_what_can_heal_is_asked_again(fault: Reply, tmp_path: Path) -> None:
    with (
        scripted(fault, said("healed")) as server,
        teacher_at(server.url, tmp_path, timeout_seconds=0.4) as teacher,
    ):
        (response,) = teacher.answer([ask("q")])
    assert response.text == "healed"
    assert len(server.asked) == 2


def test_a_closed_port_counts_as_no_answer(tmp_path: Path) -> None:
    with scripted(said("")) as server:
        url = server.url
    with teacher_at(url, tmp_path, max_attempts=2) as teacher:
        (response,) = teacher.answer([ask("q")])
    assert (response.finish_reason, response.error) == ("error", "unavailable")


def test_retry_after_is_honoured_up_to_the_cap(tmp_path: Path) -> None:
    slow = Reply(429, "{}", {"Retry-After": "90"})
    with (
        scripted(slow, said("ok")) as server,
        teacher_at(server.url, tmp_path, max_wait_seconds=0.3) as teacher,
    ):
        started_at = time.monotonic()
        teacher.answer([ask("q")])
    assert 0.3 <= time.monotonic() - started_at < 5


def test_retry_after_may_be_seconds_a_date_or_rubbish() -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
    found = retry_after_seconds(format_datetime(soon, usegmt=True))
    assert found is not None
    assert 25 < found <= 30
    assert retry_after_seconds("2.5") == 2.5
    assert retry_after_seconds("-3") == 0
    assert [retry_after_seconds(bad) for bad in (None, "soon", "nan", "inf")] == [None] * 4


@pytest.mark.parametrize(
    "refusal",
    [Reply(401, "{}"), Reply(403, "{}"), Reply(404, "{}"), Reply(429, '"insufficient_quota"')],
    ids=lambda refusal: str(refusal.status),
)
def test_a_refusal_stops_at_once_and_names_the_settings(refusal: Reply, tmp_path: Path) -> None:
    with (
        scripted(refusal) as server,
        teacher_at(server.url, tmp_path) as teacher,
        pytest.raises(TeacherError, match=r"teacher\.base_url, teacher\.model \('tiny'\)"),
    ):
        teacher.answer([ask("a"), ask("b"), ask("c")])
    assert len(server.asked) == 1


def test_one_impossible_request_does_not_stop_the_others(tmp_path: Path) -> None:
    too_long = Reply(400, '{"error": "context length"}')
    with scripted(too_long, said("b")) as server, teacher_at(server.url, tmp_path) as teacher:
        first, second = teacher.answer([ask("a"), ask("b")])
    assert (first.error, second.text) == ("http_400", "b")
    assert len(server.asked) == 2


def test_a_server_that_stays_broken_stops_the_step(tmp_path: Path) -> None:
    with (
        scripted(HTML) as server,
        teacher_at(server.url, tmp_path, max_attempts=2, max_failures=3) as teacher,
        pytest.raises(TeacherError, match=r"did not answer 3 requests in a row.*http_503.*again"),
    ):
        teacher.answer([ask(str(number)) for number in range(10)])
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (said(None), "", "stop"),
        (said("", finish_reason="content_filter"), "", "content_filter"),
        (said("1. Sor", finish_reason="length"), "1. Sor", "length"),
        (said("one\n9. two"), "one", "stop"),
        (said("<think>so many options</think>\nYes"), "Yes", "stop"),
        (said("<think>never ends"), "", "stop"),
        (said("a \ud800 b"), "a ? b", "stop"),
        (said("x", finish_reason=["odd"]), "x", "stop"),
    ],
    ids=["null", "filtered", "cut", "stop ignored", "thought", "only thought", "half pair", "odd"],
)
def test_answers_are_cleaned(reply: Reply, text: str, finish: str, tmp_path: Path) -> None:
    request = ask("q", params=Params(max_tokens=20, stop=("\n9.",)))
    with scripted(reply) as server, teacher_at(server.url, tmp_path) as teacher:
        (response,) = teacher.answer([request])
    assert (response.text, response.finish_reason) == (text, finish)


def test_a_server_without_a_bill_is_counted_on_the_safe_side(tmp_path: Path) -> None:
    with (
        scripted(said("word " * 10, usage=None)) as server,
        teacher_at(server.url, tmp_path) as teacher,
    ):
        (response,) = teacher.answer([ask("question " * 10)])
    assert response.prompt_tokens >= 20
    assert response.completion_tokens >= 10


# ---- the key


def test_the_key_comes_from_the_named_variable_and_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-not-to-be-written")
    with (
        scripted(said("hi"), Reply(401, "{}")) as server,
        teacher_at(server.url, tmp_path, api_key_env="TEACHER_KEY") as teacher,
    ):
        teacher.answer([ask("q")])
        with pytest.raises(TeacherError) as error:
            teacher.answer([ask("r")])
    assert server.headers[0]["Authorization"] == "Bearer sk-not-to-be-written"
    assert "sk-not" not in str(error.value) + repr(teacher)
    assert "TEACHER_KEY" in str(error.value)
    for path in tmp_path.iterdir():
        assert b"sk-not" not in path.read_bytes()


def test_a_missing_key_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    with (
        pytest.raises(TeacherError, match=r"TEACHER_KEY .*is empty; export"),
        teacher_at("http://127.0.0.1:9/v1", tmp_path, api_key_env="TEACHER_KEY"),
    ):
        pass


# ---- nothing is paid for twice


def test_a_stored_answer_is_not_asked_for_again(tmp_path: Path) -> None:
    with scripted(said("first"), said("second")) as server:
        with teacher_at(server.url, tmp_path) as teacher:
            teacher.answer([ask("q")])
        with teacher_at(server.url, tmp_path, scope="another run") as teacher:
            (again,) = teacher.answer([ask("q")])
            (other,) = teacher.answer([ask("q", sample_index=1)])
    assert (again.text, other.text) == ("first", "second")
    assert len(server.asked) == 2


def test_replay_needs_no_server_and_fails_on_what_it_lacks(tmp_path: Path) -> None:
    with scripted(said("first")) as server, teacher_at(server.url, tmp_path) as teacher:
        teacher.answer([ask("q")])
    with teacher_at(server.url, tmp_path, max_requests=0) as teacher:
        known, unknown = teacher.answer([ask("q"), ask("new")])
    assert known.text == "first"
    assert unknown.error == "budget"


KILLED = """
import sys
from pathlib import Path
from tests.tasks.teacher.test_openai_api import ask, teacher_at
with teacher_at(sys.argv[1], Path(sys.argv[2]), concurrency=2, timeout_seconds=60) as teacher:
    teacher.answer([ask(str(number)) for number in range(12)])
"""


def test_a_killed_run_goes_on_without_repeating_a_paid_request(tmp_path: Path) -> None:
    def answer(body: dict[str, list[dict[str, str]]], number: int) -> Reply:
        return replace(said(body["messages"][-1]["content"]), seconds=30 if number >= 5 else 0)

    with FakeServer(answer) as server:
        root = Path(__file__).parents[3]
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, server.url, str(tmp_path)], cwd=root
        )
        while len(server.asked) < 7 and child.poll() is None:  # 5 answered, 2 hang
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        paid = server.prompts()[:5]
    with (
        FakeServer(lambda body, _: said(body["messages"][-1]["content"])) as server,
        teacher_at(server.url, tmp_path, concurrency=2) as teacher,
    ):
        responses = teacher.answer([ask(str(number)) for number in range(12)])
        # the two that died in flight count, at their worst case, against the same budget
        assert teacher._store.spent()[0] == 5 + 2 + 7
        assert teacher._store.outcomes() == {"answered": 12, "in flight": 2}
    assert [response.text for response in responses] == [str(number) for number in range(12)]
    assert not set(server.prompts()) & set(paid)
    assert len(server.asked) == 7


# ---- the budget


def test_requests_in_flight_cannot_overspend_together(tmp_path: Path) -> None:
    with (
        FakeServer(lambda *_: replace(said("x"), seconds=0.02)) as server,
        teacher_at(server.url, tmp_path, max_requests=5, concurrency=8) as teacher,
    ):
        responses = teacher.answer([ask(str(number)) for number in range(20)])
    assert len(server.asked) == 5
    assert sorted(response.error for response in responses) == [""] * 5 + ["budget"] * 15


def test_tokens_are_reserved_before_and_settled_after() -> None:
    budget = Budget(max_requests=10, max_tokens=100)
    assert budget.reserve(60)
    assert not budget.reserve(60)  # 60 might be used by the one in flight
    budget.settle(60, 10)
    assert budget.reserve(60)
    assert not budget.reserve(31)


def test_a_resumed_step_goes_on_with_the_same_budget(tmp_path: Path) -> None:
    with scripted(said("x")) as server:
        for scope, left in (("one", 3), ("one", 0), ("two", 3)):
            with teacher_at(server.url, tmp_path, scope=scope, max_requests=3) as teacher:
                before = len(server.asked)
                teacher.answer([ask(f"{scope} {number} {left}") for number in range(4)])
                assert len(server.asked) - before == left
