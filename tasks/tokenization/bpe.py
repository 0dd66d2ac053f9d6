r"""Byte-level byte-pair encoding: trained by `tokenizers`, run by `tiktoken` from the same merges.

Texts are cut into pretokens by `PRETOKEN_PATTERN`; in each, the pair of neighbours that comes first
in the list of merges is joined until no pair is left (Sennrich et al. 2016; on bytes: Radford et
al. 2019). The trainer joins the most frequent pair of the sample, again and again:

    "low low lower"  ->  l·o (3 times), then lo·w (3 times), …: "low" is one token

tiktoken joins any neighbours that form a known token, `tokenizers` only pairs that training joined.
They agree all the same: where training first built a token from l·r, nothing had joined across its
ends, nor across the border of l and r; so wherever nothing joins across the ends of these bytes
before the token's turn, they have come to l·r and to no other halves.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tiktoken
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer

END_OF_TEXT = "<|endoftext|>"
SPECIAL_TOKENS = (END_OF_TEXT, "<|im_start|>", "<|im_end|>")  # ids 0, 1, 2

# The split of Llama 3, which llama.cpp knows as "llama-bpe": contractions; a word with the one
# character before it; up to 3 digits; punctuation with its line ends; line ends; other white space.
# Both regex engines cut alike at each of the 1.1 million code points. On 14 MB of Python sources
# and package descriptions it gives 4.22 bytes per token at 32,768 ids, GPT-2's split 4.03.
PRETOKEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
RANKS_FILE = "tokenizer.tiktoken"  # in the tokenizer's artifact
MIN_FREQUENCY = 2  # a pair seen once in the sample teaches nothing


def train_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A tokenizer with at most `vocab_size` ids; fewer when the texts have no more pairs.

    Equal texts in any order and number of threads give an equal tokenizer: the trainer counts
    pretokens, and breaks ties between pairs by their ids.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [
            Split(Regex(PRETOKEN_PATTERN), behavior="isolated"),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=MIN_FREQUENCY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(ByteLevel.alphabet()),  # all 256 bytes: no text is unknown
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


# ---- as tiktoken reads it


@cache
def _bytes_of_characters() -> dict[str, int]:
    """GPT-2's printable stand-in of every byte: itself where it prints, else U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }


def mergeable_ranks(tokenizer: Tokenizer) -> dict[bytes, int]:
    """Every token but the special ones as bytes, with its id; lower ids merge first."""
    byte_of = _bytes_of_characters()
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return {
        bytes(byte_of[character] for character in token): rank
        for token, rank in vocabulary
        if token not in SPECIAL_TOKENS
    }


def write_ranks(path: Path, ranks: dict[bytes, int]) -> None:
    """Writes tiktoken's own format: a line per token, its bytes in base64 and its id."""
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items())
    path.write_text("".join(lines))


def load_encoding(path: Path) -> tiktoken.Encoding:
    """The encoding of a file of ranks; `encode_ordinary` takes special tokens for plain text."""
    pairs = (line.split() for line in path.read_text().splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(
        "crawl2chat",
        pat_str=PRETOKEN_PATTERN,
        mergeable_ranks=ranks,
        special_tokens={token: rank for rank, token in enumerate(SPECIAL_TOKENS)},
        explicit_n_vocab=len(ranks) + len(SPECIAL_TOKENS),
    )


# ---- as transformers reads it


def chat_template() -> str:
    """ChatML as a Jinja template, with generation blocks around what assistants say."""
    return Path(__file__).with_name("chat_template.jinja").read_text()


def tokenizer_files(tokenizer: Tokenizer) -> Iterator[tuple[str, Any]]:
    """The JSON files of a Hugging Face tokenizer directory; the template is a file of its own."""
    yield "tokenizer.json", json.loads(tokenizer.to_str())
    yield (
        "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
            "pad_token": END_OF_TEXT,
            "extra_special_tokens": [t for t in SPECIAL_TOKENS if t != END_OF_TEXT],
            "clean_up_tokenization_spaces": False,
        },
    )
