import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tasks.tokenization.bpe import (
    PRETOKEN_PATTERN,
    RANKS_FILE,
    SPECIAL_TOKENS,
    load_encoding,
    mergeable_ranks,
    train_bpe,
    write_ranks,
)
from tasks.tokenization.tokenize import encode

LOW = ["low low lower low"]


@pytest.fixture(scope="session")
def encoding(tokenizer_directory: Path) -> tiktoken.Encoding:
    return load_encoding(tokenizer_directory / RANKS_FILE)


@pytest.fixture(scope="session")
def plain(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer, taking special tokens in a text for plain text."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.encode_special_tokens = True
    return copy


def test_most_frequent_pairs_merge_first() -> None:
    # Pretokens: "low" once, " low" twice, " lower" once. lo and ow are in all four; lo has the
    # smaller ids. Then low 4, " low" 3; no other pair is there twice.
    tokenizer = train_bpe(LOW, 300)
    ranks = mergeable_ranks(tokenizer)
    assert list(ranks)[256:] == [b"lo", b"low", b" low"]
    assert list(ranks.values()) == list(range(3, 3 + 256 + 3))


def test_special_tokens_have_the_first_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2]


def test_vocabulary_has_the_wanted_size_where_the_text_suffices(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() == 1000
    assert train_bpe(LOW, 1000).get_vocab_size() == 3 + 256 + 3


def test_order_of_texts_changes_nothing(python_texts: list[str]) -> None:
    there = train_bpe(python_texts, 500)
    assert train_bpe(python_texts[::-1], 500).to_str() == there.to_str()


def test_threads_and_hash_seed_change_nothing(tmp_path: Path, python_texts: list[str]) -> None:
    expected = train_bpe(python_texts, 500).to_str()
    (tmp_path / "texts.json").write_text(json.dumps(python_texts))
    program = (
        "import json, sys; from tasks.tokenization.bpe import train_bpe;"
        "print(train_bpe(json.load(open(sys.argv[1])), 500).to_str(), end='')"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", program, str(tmp_path / "texts.json")]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == expected


def test_ranks_survive_their_file(tmp_path: Path, tokenizer: Tokenizer) -> None:
    ranks = mergeable_ranks(tokenizer)
    write_ranks(tmp_path / RANKS_FILE, ranks)
    loaded = load_encoding(tmp_path / RANKS_FILE)
    assert loaded.n_vocab == 1000
    assert all(loaded.encode_single_token(token) == rank for token, rank in ranks.items())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello world's", ["Hello", " world", "'s"]),
        ("x = 1234567", ["x", " =", " ", "123", "456", "7"]),
        ("if x:\n    return", ["if", " x", ":\n", "   ", " return"]),
        ("a  \n\n b", ["a", "  \n\n", " b"]),
        ("f(a_b)", ["f", "(a", "_b", ")"]),
    ],
)
def test_pretokens(tokenizer: Tokenizer, text: str, pieces: list[str]) -> None:
    spans = [span for _, span in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    assert [text[start:end] for start, end in spans] == pieces


def test_tiktoken_and_tokenizers_agree_on_real_text(
    encoding: tiktoken.Encoding,
    plain: Tokenizer,
    scripts: dict[str, str],
    python_texts: list[str],
) -> None:
    texts = [*scripts.values(), *python_texts]
    assert len(scripts) > 10
    for text, expected in zip(texts, plain.encode_batch(texts), strict=True):
        assert encoding.encode_ordinary(text) == expected.ids


def test_tiktoken_and_tokenizers_agree_on_unseen_scripts(scripts: dict[str, str]) -> None:
    narrow = train_bpe([scripts["latin"], scripts["latin"]], 400)
    narrow.encode_special_tokens = True
    ranks = mergeable_ranks(narrow)
    encoding = tiktoken.Encoding(
        "narrow", pat_str=PRETOKEN_PATTERN, mergeable_ranks=ranks, special_tokens={}
    )
    for text in scripts.values():
        assert encoding.encode_ordinary(text) == narrow.encode(text).ids


@settings(max_examples=300, deadline=None)
@given(st.text())
@example("'\u017f 'S '\u01c5 \u1e9e")
@example("aaaa aaaaa  aaaaaa")
@example("<|im_end|>")
@example("e\u0301 \u200d\u2028\x85 ")
def test_any_text_agrees_and_comes_back(
    encoding: tiktoken.Encoding, plain: Tokenizer, text: str
) -> None:
    ids = encoding.encode_ordinary(text)
    assert ids == plain.encode(text).ids
    assert encoding.decode_bytes(ids) == text.encode()
    assert plain.decode(ids, skip_special_tokens=False) == text


@cache
def few_letters() -> tuple[Tokenizer, tiktoken.Encoding]:
    words = [f"{number:b}".replace("0", "a").replace("1", "b") for number in range(1, 2000)]
    tokenizer = train_bpe([" ".join(words)] * 2, 600)
    ranks = mergeable_ranks(tokenizer)
    return tokenizer, tiktoken.Encoding(
        "few", pat_str=PRETOKEN_PATTERN, mergeable_ranks=ranks, special_tokens={}
    )


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab \n'1", max_size=60))
def test_any_text_of_few_letters_agrees(text: str) -> None:
    # Many overlapping merges of the same letters: where the two ways to apply merges could differ.
    tokenizer, encoding = few_letters()
    assert encoding.encode_ordinary(text) == tokenizer.encode(text).ids


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_no_text_becomes_a_special_token(encoding: tiktoken.Encoding, token: str) -> None:
    ids = encode(encoding, f"{token}a{token}").tolist()
    assert ids[0] == 0  # ours
    assert not set(ids[1:]) & {0, 1, 2}
    assert encoding.decode_bytes(ids[1:]) == f"{token}a{token}".encode()


def test_long_runs_are_encoded(encoding: tiktoken.Encoding) -> None:
    for text in ("a" * 200_000, "=" * 200_000, "\n" * 200_000, " " * 200_000, "中" * 200_000):
        assert encoding.decode_bytes(encode(encoding, text)[1:].tolist()) == text.encode()
