"""Step 3 of Self-Instruct: examples of every instruction, over passages of the user's documents.

An instruction that phrases a family gets its inputs from the family, over training documents or,
for a share of each family's phrasings, over held-out ones; the teacher answers, a rule verifies,
and what failed is asked again. A free instruction gets inputs and answers from its language model,
unverified, for training only.

Output: `instances.jsonl`, conversations with a reason where one failed, and `instructions.jsonl`
with the side of the split that each instruction is on.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

from pipeline_config.instructions import BootstrapConfig, InstancesConfig
from pipeline_config.teacher import TeacherConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.conversations import (
    Conversation,
    read_json_lines,
    write_conversations,
    write_json_lines,
)
from tasks.instructions.answering import answer_slots
from tasks.instructions.asking import Job, teachers
from tasks.instructions.corpus import load_shelves
from tasks.instructions.drafting import draft_slots
from tasks.instructions.free import answer_free
from tasks.instructions.records import Instruction, instruction
from tasks.instructions.seeds import load_seed_tasks, seed_file


def write_instances(
    build: Build,
    instructions: ArtifactRef,
    corpus: ArtifactRef,
    tokens: dict[str, ArtifactRef],
    bootstrap: BootstrapConfig,
    config: InstancesConfig,
    teacher: TeacherConfig,
    seed: int,
) -> None:
    """Writes the instances of all instructions."""
    path = build.path(instructions, "instructions.jsonl")
    rows = assign_splits([instruction(row) for row in read_json_lines(path)], config, seed)
    shelves = load_shelves(build, corpus, tokens, config, seed)
    seeds = load_seed_tasks(seed_file(bootstrap.seed_tasks))
    job = Job(build, config, seeds, teacher.max_answer_tokens, seed)
    quoted = shelves["train"] if teacher.send_documents else None
    made: list[Conversation] = []
    with teachers(build, bootstrap.families, teacher) as asked:
        for kind, one in asked.items():
            own = [row for row in rows if row.teacher == kind]
            slots = draft_slots(build, [row for row in own if row.family], shelves, config, seed)
            made += answer_slots(job, slots, one)
            made += answer_free(job, [row for row in own if not row.family], quoted, one)
    _count(build, made)
    instances, sides = build.scratch / "instances.jsonl", build.scratch / "instructions.jsonl"
    write_conversations(instances, made)
    build.add_file(instances.name, instances, rows=len(made))
    write_json_lines(sides, (row.row() for row in rows))
    build.add_file(sides.name, sides, rows=len(rows))


def assign_splits(
    rows: Sequence[Instruction], config: InstancesConfig, seed: int
) -> list[Instruction]:
    """Puts a share of each family's phrasings, at least one of two, on the held-out side.

    Free instructions train: no rule could score them.
    """
    heldout: set[str] = set()
    if config.heldout_per_family and config.heldout_phrasings:
        for family in sorted({row.family for row in rows if row.family}):
            own = [row for row in rows if row.family == family]
            wanted = max(1, math.ceil(config.heldout_phrasings * len(own) - 1e-9))
            own.sort(key=lambda row: _place(row, seed))
            heldout |= {row.id for row in own[: min(wanted, len(own) - 1)]}
    return [replace(row, split="heldout" if row.id in heldout else "train") for row in rows]


def _place(row: Instruction, seed: int) -> bytes:
    """Where a phrasing stands in the order in which they are held out."""
    return hashlib.blake2b(f"phrasing:{seed}:{row.text}".encode(), digest_size=8).digest()


def _count(build: Build, made: Sequence[Conversation]) -> None:
    """The funnel.

    Raises:
        ValueError: when no instance is left.
    """
    for one in made:
        build.counts.read += 1
        if one.reject_reason:
            build.counts.drop(one.reject_reason)
        else:
            build.counts.kept += 1
    if not build.counts.kept:
        raise ValueError(
            f"no instance was written: {build.counts}; no_passage means that documents are too "
            "short or that a family needs a source which is not there: see "
            "instructions.bootstrap.families and instructions.instances.max_passage_chars"
        )
    build.counts.extra["verified"] = sum(
        one.verify is not None and not one.reject_reason for one in made
    )
