import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.conversations import (
    Conversation,
    Message,
    Quality,
    Task,
    TeacherInfo,
    Verification,
    conversation_id,
    read_conversations,
    read_json_lines,
    write_conversations,
    write_json_lines,
)


def talk(user: str, assistant: str) -> tuple[Message, ...]:
    return (
        Message(role="user", content=user, trained=False),
        Message(role="assistant", content=assistant, trained=True),
    )


def record(user: str = "Wie geht's?\u2028\r\n\x00", assistant: str = "gut") -> Conversation:
    messages = talk(user, assistant)
    return Conversation(
        id=conversation_id(messages, "m"),
        messages=messages,
        task=Task(is_classification=False, instruction_id="i", instruction="?", round=1),
        method="m",
        teacher=TeacherInfo(kind="k", model="m", request="r"),
        verify=Verification(verifier="choice", answer="gut", choices=("gut", "schlecht")),
        quality=Quality(rouge_max=0.25),
        split="train",
    )


def test_records_survive_the_file_and_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    records = [record(), record("Hello", "Hi")]
    assert write_conversations(one, records) == 2
    assert list(read_conversations(one)) == records
    write_conversations(other, read_conversations(one))
    assert one.read_bytes() == other.read_bytes()
    line = one.read_text(encoding="utf-8").split("\n")[1]
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))


def test_the_id_is_that_of_the_turns_not_of_their_case_or_spaces() -> None:
    assert conversation_id(talk("A  b", "c"), "m") == conversation_id(talk("a b ", "C"), "m")
    assert conversation_id(talk("a", "b"), "m") != conversation_id(talk("b", "a"), "m")
    assert conversation_id(talk("a", "b"), "m") != conversation_id(talk("a", "b"), "n")
    turned = tuple(reversed(talk("a", "b")))
    assert conversation_id(talk("a", "b"), "m") != conversation_id(turned, "m")
    assert len(conversation_id(talk("a", "b"), "m")) == 32


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    write_conversations(path, [record()])
    row = json.loads(path.read_text())
    row["messages"][0]["role"] = "tool"
    write_json_lines(path, [read_json_lines(path)[0], row])
    with pytest.raises(ValueError, match=r"train\.jsonl:2: messages\.0\.role: .*rebuild its step"):
        list(read_conversations(path))
    path.write_text("{\n")
    with pytest.raises(ValueError, match=r"train\.jsonl:1: "):
        list(read_conversations(path))


def test_unknown_fields_and_empty_conversations_are_refused() -> None:
    values = record().model_dump()
    with pytest.raises(ValidationError, match="surprise"):
        Conversation.model_validate(values | {"surprise": 1})
    with pytest.raises(ValidationError, match="messages"):
        Conversation.model_validate(values | {"messages": []})
