"""Step 4 of Self-Instruct: filter the instances and split them.

Output: `train.jsonl`, `heldout.jsonl` (verified by rule, other documents and other phrasings than
training), `control.jsonl` (held-out questions about the wrong passages), `rejected.jsonl` (with
reasons; those of the step before too), and `instructions.jsonl`, all accepted instructions with
their nearest neighbour and the side of the split they are on.
"""

import shutil
from collections.abc import Sequence

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.conversations import Conversation, Split, read_conversations, write_conversations
from tasks.instructions.conflicts import reject_conflicts, reject_crossing
from tasks.instructions.control import shuffle_passages


def filter_instances(build: Build, instances: ArtifactRef, seed: int) -> None:
    """Filters, splits and writes the conversations."""
    rows = list(read_conversations(build.path(instances, "instances.jsonl")))
    written = [one for one in rows if not one.reject_reason]
    judged = reject_crossing(reject_conflicts(written))
    splits: dict[Split, list[Conversation]] = {
        name: [one for one in judged if one.split == name] for name in ("train", "heldout")
    }
    splits["control"] = shuffle_passages(splits["heldout"], seed)
    rejected = [one for one in judged if one.reject_reason]
    splits["rejected"] = rejected + [one for one in rows if one.reject_reason]
    build.counts.read = len(written)
    build.counts.kept = len(written) - len(rejected)
    for one in rejected:
        build.counts.drop(one.reject_reason)
    build.counts.extra |= {
        "splits": {name: len(own) for name, own in splits.items()},
        "families": {name: _per_family(own) for name, own in splits.items() if name != "rejected"},
    }
    if not splits["train"]:
        raise ValueError(f"no conversation is left to train on: {build.counts}")
    for name, own in splits.items():
        path = build.scratch / f"{name}.jsonl"
        write_conversations(path, own)
        build.add_file(path.name, path, rows=len(own))
    path = build.scratch / "instructions.jsonl"
    shutil.copyfile(build.path(instances, path.name), path)
    build.add_file(path.name, path, rows=path.read_bytes().count(b"\n"))


def _per_family(rows: Sequence[Conversation]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in rows:
        name = one.task.family or "free"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
