from pathlib import Path

import pytest

from tasks.lm import talk as talk_module
from tasks.lm.chat_format import load_tokenizer
from tasks.lm.model import build_model
from tasks.lm.talk import Talk, printable
from tests.tasks.lm.tiny import TINY, write_tokenizer


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_tokenizer(tmp_path_factory.mktemp("model"))
    vocab = len(load_tokenizer(directory))
    build_model(TINY, vocab_size=vocab, document_end=0, seed=0).save_pretrained(directory)
    return directory


def answering(monkeypatch: pytest.MonkeyPatch, directory: Path, text: str) -> list[list[int]]:
    """Makes every model say `text`; the list fills with the prompts it saw."""
    prompts: list[list[int]] = []

    def say(model: object, prompt: list[int], decoding: object) -> list[int]:
        prompts.append(prompt)
        return load_tokenizer(directory).encode(text)

    monkeypatch.setattr(talk_module, "stream", say)
    return prompts


def test_pieces_of_an_answer_join_whole_characters(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk(model_dir, temperature=0.0, max_tokens=20, seed=0)
    answering(monkeypatch, model_dir, "the \N{SNOWMAN} cat")  # a snowman is three tokens here
    pieces = list(talk.say("hello"))
    assert "".join(pieces) == "the \N{SNOWMAN} cat"
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in pieces)


def test_history_is_shown_until_the_context_is_full(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk(model_dir, temperature=0.0, max_tokens=20, seed=0)
    prompts = answering(monkeypatch, model_dir, "yes")
    for said in ("the cat", "the dog", "the log", "the mat"):
        list(talk.say(said))
    tokenizer = load_tokenizer(model_dir)
    shown = [tokenizer.decode(prompt) for prompt in prompts]
    assert shown[1].count("<|im_start|>user") == 2
    assert "yes<|im_end|>" in shown[1]
    assert all(len(prompt) <= 44 for prompt in prompts)  # 64 tokens of context, 20 for the answer
    assert shown[3].startswith("<|im_start|>user")
    assert "the cat" not in shown[3]
    talk.forget()
    list(talk.say("the dog"))
    assert tokenizer.decode(prompts[-1]).count("<|im_start|>user") == 1


def test_real_model_answers(model_dir: Path) -> None:
    talk = Talk(model_dir, temperature=1.0, max_tokens=5, seed=0)
    assert "".join(talk.say("the cat")) == "".join(
        Talk(model_dir, temperature=1.0, max_tokens=5, seed=0).say("the cat")
    )


def test_printable_takes_out_what_commands_a_terminal() -> None:
    assert printable("a\x1b[31mb\x07\r\n\tc\x9b2J") == "a[31mb\n\tc2J"
    assert printable("abc\u202edef\u2066") == "abcdef"
    assert printable("naïve \N{SNOWMAN} 👩\u200d🔬") == "naïve \N{SNOWMAN} 👩\u200d🔬"
