"""Score: documents -> `00000.parquet` with the id and one typed column per signal, row by row.

C4's signals are about the lines that its line rules keep, be those lines cut out later or not.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.edits import C4LineRules
from pipeline_config.quality import ScoreConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.outside import OutsideFile
from storage.shards import Shard, ShardOutput
from storage.tables import read_table

# Characters whose words are in memory at once, unless one document has more: what 2 MB of cache
# hold, with words and lines 10 bytes each.
BLOCK_CHARACTERS = 150_000

if TYPE_CHECKING:  # numba is imported in the workers only
    from tasks.quality import language


def score_documents(
    build: Build, documents: ArtifactRef, config: ScoreConfig, c4_lines: C4LineRules
) -> None:
    """Measure every signal of every document.

    Raises:
        ValueError: when there is no document.
    """
    files = build.files(documents)
    shards = [Shard(entry.name.removesuffix(".parquet"), (entry,)) for entry in files]
    params: dict[str, Any] = {"config": config, "c4_lines": c4_lines}
    if config.language_model:
        params["language_model"] = OutsideFile.at(config.language_model)
        params["config"] = config.model_copy(update={"language_model": ""})
    build.map_shards(score_shard, shards, params)
    if not build.counts.read:
        raise ValueError(f"{build.label} has nothing to score: {build.counts}")


def score_shard(inputs: list[Path], params: dict[str, Any], out: ShardOutput) -> None:
    """Score one file of documents."""
    table = read_table(inputs[0], ["id", "text"])
    scores = score_texts(pc.fill_null(table["text"], ""), **params)
    out.add_table(f"{out.name}.parquet", scores.add_column(0, "id", table["id"]))
    out.counts.read += table.num_rows
    out.counts.kept += table.num_rows


def score_texts(
    texts: pa.ChunkedArray,
    config: ScoreConfig,
    c4_lines: C4LineRules,
    language_model: OutsideFile | None = None,
) -> pa.Table:
    """Return a column per signal, in the order of the nouns' schemas."""
    from tasks.quality import c4, fineweb, gopher_quality, gopher_repetition, language

    nouns = (gopher_quality, gopher_repetition, c4, fineweb, language)
    schema = pa.schema([field for noun in nouns for field in noun.SCHEMA])
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for own in blocks(texts):
        languages, scores = identify(own, language_model)
        signals = rule_signals(own, config, c4_lines)
        signals |= {"language": languages, "language_score": scores}
        for name in schema.names:
            columns[name].append(signals[name])
    arrays = {
        name: pa.chunked_array(map(pa.array, columns[name]), schema.field(name).type)
        for name in columns
    }
    return pa.table(arrays, schema=schema)


def identify(texts: list[str], language_model: OutsideFile | None) -> "language.Identified":
    """Return the languages of some texts, by the user's model or by py3langid."""
    if language_model is None:
        from tasks.quality import language

        return language.identify(texts)
    from tasks.quality import fasttext_language

    return fasttext_language.identify(texts, language_model.path)


def blocks(texts: pa.ChunkedArray) -> Iterator[list[str]]:
    """Cut texts into lists of about BLOCK_CHARACTERS together."""
    ends = np.cumsum(np.asarray(pc.utf8_length(texts)), dtype=np.int64)
    cuts = np.flatnonzero(np.diff(ends // BLOCK_CHARACTERS)) + 1
    edges = [0, *cuts.tolist(), len(texts)]
    for start, end in pairwise(edges):
        if end > start:
            yield texts.slice(start, end - start).to_pylist()


def rule_signals(texts: list[str], config: ScoreConfig, c4_lines: C4LineRules) -> dict[str, Any]:
    """Return the signals of some texts, column by column, without their languages."""
    from tasks.quality import c4, fineweb, gopher_quality, gopher_repetition
    from tasks.quality.words import block

    words = block(texts)
    return {
        **gopher_quality.quality_signals(words, config.stop_words),
        **gopher_repetition.repetition_signals(words),
        **c4.c4_signals(words, c4_lines),
        **fineweb.fineweb_signals(words, config.short_line_chars),
    }
