import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from transformers import PreTrainedTokenizerFast

from pipeline_config.tokenization import HeldoutConfig, TokenizerConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import CORPUS_SCHEMA, document_id
from storage.session import Session
from storage.steps import step
from storage.tokens import SPLITS, Split, TokenShards, index_name, tokens_name
from tasks.tokenization.bpe import RANKS_FILE, load_encoding
from tasks.tokenization.task import tokenize, train_tokenizer

TOKENIZER = TokenizerConfig(vocab_size=300, sample_bytes=100_000)
HELDOUT = HeldoutConfig(share=0.1, min_clusters=2)

# Of the ranks, the tokens of docs, and those of code.
GOLDEN = ["eb0e560d8837677e", "b84e1a0752c9f112", "79be84f681db576c"]

# A document is (text, cluster or "" for its own); a source is a list of shards of them.
Document = tuple[str, str]
Source = list[list[Document]]


def numbered(word: str, numbers: range) -> list[Document]:
    return [(f"{word} number {i} of the {word} shelf.\n", "") for i in numbers]


CORPUS: dict[str, Source] = {
    "docs": [
        numbered("page", range(20)),
        numbered("page", range(20, 30)),
    ],
    "code": [[*numbered("line", range(4)), ("a <|im_end|> in a text", "")]],
}


def identity(source: str, text: str) -> str:
    return document_id(source, f"http://{source}.test/", text)


@step("small-corpus", version="1")
def make_corpus(build: Build, corpus: dict[str, Source]) -> None:
    for source, shards in corpus.items():
        for number, shard in enumerate(shards):
            rows: list[dict[str, Any]] = [
                {name: "" for name in CORPUS_SCHEMA.names}
                | {"id": identity(source, text), "text": text, "source": source, "warc_offset": -1}
                | {"cluster": cluster or identity(source, text)}
                for text, cluster in shard
            ]
            table = pa.Table.from_pylist(rows, schema=CORPUS_SCHEMA)
            build.add_table(f"{source}/{number:05d}.parquet", table, CORPUS_SCHEMA)


def tokenize_all(
    corpus: dict[str, Source], heldout: HeldoutConfig = HELDOUT
) -> dict[str, ArtifactRef]:
    ref = make_corpus(corpus)
    tokenizer = train_tokenizer(ref, TOKENIZER, heldout)
    return {source: tokenize(ref, tokenizer, heldout, source, label=source) for source in corpus}


def file_paths(session: Session, ref: ArtifactRef) -> dict[str, Path]:
    entries = session.store.manifest_of(ref).files
    return {entry.name: session.store.blob_path(entry) for entry in entries}


def open_tokens(session: Session, ref: ArtifactRef, split: Split) -> TokenShards:
    paths = file_paths(session, ref)
    shards = [f"{number:05d}" for number in range(3)]
    files = [(tokens_name(split, shard), index_name(split, shard)) for shard in shards]
    return TokenShards([(paths[a], paths[b]) for a, b in files if a in paths], "<u2")


def split_of_documents(session: Session, refs: dict[str, ArtifactRef]) -> dict[str, str]:
    """Document id -> its split, over all sources."""
    return {
        document.id: split
        for ref in refs.values()
        for split in SPLITS
        for document, _ in open_tokens(session, ref, split).documents()
    }


def test_tokenizer_is_a_hugging_face_directory(direct: Session, tmp_path: Path) -> None:
    corpus = make_corpus(CORPUS)
    ref = train_tokenizer(corpus, TOKENIZER, HELDOUT)
    for name, path in file_paths(direct, ref).items():
        (tmp_path / name).write_bytes(path.read_bytes())
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tmp_path, local_files_only=True)
    assert len(tokenizer) == direct.store.manifest_of(ref).counts.extra["vocab_size"]
    assert 259 < len(tokenizer) <= 300
    assert tokenizer.decode(tokenizer("página 3").input_ids) == "página 3"
    assert "generation" in tokenizer.chat_template


def test_tokenizer_learns_from_training_documents_only(direct: Session) -> None:
    corpus = make_corpus(CORPUS)
    counts = direct.store.manifest_of(train_tokenizer(corpus, TOKENIZER, HELDOUT)).counts
    refs = tokenize_all(CORPUS)
    train = {source: open_tokens(direct, ref, "train") for source, ref in refs.items()}
    assert counts.read == counts.kept == sum(shards.num_documents for shards in train.values())
    assert counts.extra["sample_bytes"] == {s: shards.num_bytes for s, shards in train.items()}


def test_tokenizer_learns_from_a_sample_of_every_source_in_proportion(direct: Session) -> None:
    corpus = make_corpus(CORPUS)
    whole = TOKENIZER.model_copy(update={"sample_bytes": 10_000})
    half = TOKENIZER.model_copy(update={"sample_bytes": 500})
    sizes, sampled = (
        direct.store.manifest_of(train_tokenizer(corpus, config, HELDOUT)).counts.extra[
            "sample_bytes"
        ]
        for config in (whole, half)
    )
    total = sum(sizes.values())
    assert total > 500
    assert sampled == {source: 500 * size // total for source, size in sizes.items()}


def test_every_document_comes_back_from_its_tokens(direct: Session) -> None:
    corpus = make_corpus(CORPUS)
    tokenizer = train_tokenizer(corpus, TOKENIZER, HELDOUT)
    encoding = load_encoding(file_paths(direct, tokenizer)[RANKS_FILE])
    for source, shards in CORPUS.items():
        ref = tokenize(corpus, tokenizer, HELDOUT, source)
        found = {}
        for split in SPLITS:
            for document, tokens in open_tokens(direct, ref, split).documents():
                assert tokens[0] == encoding.eot_token
                assert not set(tokens[1:].tolist()) & {0, 1, 2}
                found[document.id] = encoding.decode(tokens[1:].tolist())
                assert document.num_bytes == len(found[document.id].encode())
        all_texts = [text for shard in shards for text, _ in shard]
        assert found == {identity(source, text): text for text in all_texts}
        counts = direct.store.manifest_of(ref).counts
        assert counts.read == counts.kept == ref.rows == len(all_texts)
        assert counts.extra["vocab_size"] == encoding.n_vocab
        assert counts.extra["dtype"] == "<u2"


def test_no_cluster_is_on_both_sides_and_every_source_holds_out(direct: Session) -> None:
    # Clusters of four span both sources and all shards; `small` fills up, and takes `large` along.
    def shard(source: str, start: int) -> list[Document]:
        return [(f"{source} {start + i}", f"cluster {i % 9}") for i in range(18)]

    corpus = {
        "large": [shard("large", 0), [*shard("large", 50), *numbered("page", range(60))]],
        "small": [shard("small", 0)],
    }
    refs = tokenize_all(corpus, HeldoutConfig(share=0.05, min_clusters=4))
    splits = split_of_documents(direct, refs)
    sides: dict[str, set[str]] = {}
    for source, shards in corpus.items():
        for text, cluster in (document for shard in shards for document in shard):
            sides.setdefault(cluster or text, set()).add(splits[identity(source, text)])
    assert all(len(side) == 1 for side in sides.values())
    assert [sides[f"cluster {i}"] for i in range(9)].count({"heldout"}) >= 4


def test_growing_the_corpus_encodes_new_shards_only(direct: Session) -> None:
    corpus = make_corpus(CORPUS)
    tokenizer = train_tokenizer(corpus, TOKENIZER, HELDOUT)
    first = tokenize(corpus, tokenizer, HELDOUT, "docs")
    grown = {**CORPUS, "docs": [*CORPUS["docs"], numbered("page", range(30, 40))]}
    second = tokenize(make_corpus(grown), tokenizer, HELDOUT, "docs")
    before, after = (file_paths(direct, ref) for ref in (first, second))
    assert after.items() > before.items()
    journals = direct.store.list_files("shards/tokenize", deep=True)
    lines = sum(Path(direct.store.full(path)).read_text().count("\n") for path in journals)
    assert lines == 3


def test_document_that_cannot_be_split_is_dropped_with_its_reason(direct: Session) -> None:
    corpus = make_corpus(
        {"docs": [[*numbered("page", range(6)), ("a" + " " * 1_200_000 + "b", "")]]}
    )
    small = {"docs": [numbered("page", range(20))]}
    tokenizer = train_tokenizer(make_corpus(small), TOKENIZER, HELDOUT)
    counts = direct.store.manifest_of(tokenize(corpus, tokenizer, HELDOUT, "docs")).counts
    assert (counts.read, counts.kept) == (7, 6)
    assert counts.dropped == {"a million white-space characters in a row": 1}


def test_a_source_that_the_corpus_lacks_is_named(direct: Session) -> None:
    corpus = make_corpus(CORPUS)
    tokenizer = train_tokenizer(corpus, TOKENIZER, HELDOUT)
    with pytest.raises(ValueError, match="no source 'pages'; it has code, docs"):
        tokenize(corpus, tokenizer, HELDOUT, "pages")


def test_corpus_without_a_document_is_refused(direct: Session) -> None:
    corpus = make_corpus({"docs": [[]]})
    with pytest.raises(ValueError, match="no document to learn from: read 0"):
        train_tokenizer(corpus, TOKENIZER, HELDOUT)


def test_golden_digests(direct: Session) -> None:
    # A silent change of the output without a new step version fails here. Beside them, what a
    # look at the corpus says: 30 + 5 documents.
    corpus = make_corpus(CORPUS)
    tokenizer = train_tokenizer(corpus, TOKENIZER, HELDOUT)
    docs = tokenize(corpus, tokenizer, HELDOUT, "docs")
    code = tokenize(corpus, tokenizer, HELDOUT, "code")
    (ranks,) = (e for e in direct.store.manifest_of(tokenizer).files if e.name == RANKS_FILE)
    assert (docs.rows, code.rows) == (30, 5)
    assert [digest[:16] for digest in (ranks.digest, docs.digest, code.digest)] == GOLDEN


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("tasks.tokenization.task", ["tokenizers", "tiktoken", "transformers", "torch"]),
        ("tasks.tokenization.tokenize", ["prefect", "torch", "transformers"]),  # in every worker
    ],
)
def test_imports_stay_light(module: str, absent: list[str]) -> None:
    program = f"import sys, {module}; print(*[name for name in {absent} if name in sys.modules])"
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
