"""Classify: documents and a classifier -> `00000.parquet` with the id and the score, row by row."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.shards import Shard, ShardOutput
from storage.tables import read_table
from tasks.quality import fasttext_model
from tasks.quality.train_classifier import LABEL, MODEL

SCHEMA = pa.schema([("id", pa.string()), ("score", pa.float64())])


def classify_documents(build: Build, documents: ArtifactRef, classifier: ArtifactRef) -> None:
    """Score every document of one source."""
    (model,) = build.files(classifier, MODEL)
    label = json.loads(build.path(classifier, LABEL).read_bytes())["positive_label"]
    shards = [
        Shard(entry.name.removesuffix(".parquet"), (entry, model))
        for entry in build.files(documents)
    ]
    build.map_shards(classify_shard, shards, {"label": label})


@lru_cache(maxsize=1)
def loaded(path: Path) -> Any:
    """The model, loaded once per process, for it may have a gigabyte; a blob never changes."""
    return fasttext_model.load(path)


def classify_shard(inputs: list[Path], params: dict[str, str], out: ShardOutput) -> None:
    """Score one file of documents."""
    documents = read_table(inputs[0], ["id", "text"])
    model = loaded(inputs[1])
    lines = [fasttext_model.one_line(text.as_py() or "") for text in documents["text"]]
    scores = fasttext_model.scores(model, lines, params["label"])
    table = pa.table({"id": documents["id"], "score": scores})
    out.add_table(f"{out.name}.parquet", table, SCHEMA)
    out.counts.read += documents.num_rows
    out.counts.kept += documents.num_rows
    # In tenths, so that the report can show where a limit would cut.
    tenths = np.minimum((scores * 10).astype(int), 9)
    out.counts.extra["tenths"] = {f"{tenth}": int((tenths == tenth).sum()) for tenth in range(10)}
