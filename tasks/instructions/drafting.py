"""Draws the questions of a family's instructions: so many each, over one side of the documents."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline_config.instructions import InstancesConfig
from storage.build import Build
from storage.tokens import Split
from tasks.instructions.families.catalog import FAMILIES
from tasks.instructions.families.family import Draft, Family
from tasks.instructions.passages import Cut, Shelf
from tasks.instructions.records import Instruction
from tasks.teacher.exchange import generator

MAX_DRAWS = 40  # for one question, before the documents count as unsuitable


@dataclass(frozen=True)
class Slot:
    """One question under one instruction, waiting for an answer."""

    instruction: Instruction
    number: int
    draft: Draft


def draft_slots(
    build: Build,
    rows: Sequence[Instruction],
    shelves: Mapping[Split, Shelf],
    config: InstancesConfig,
    seed: int,
) -> list[Slot]:
    """All questions of all these instructions; none is asked twice under one family.

    A question that the documents do not give is counted as `no_passage`.
    """
    cut = Cut(config.min_passage_words, config.max_passage_words, config.max_passage_chars)
    seen: set[tuple[str, str]] = set()
    slots: list[Slot] = []
    for row in rows:
        shelf = shelves["heldout" if row.split == "heldout" else "train"]
        for number in range(_wanted(row, rows, config)):
            draft = _draft(FAMILIES[row.family], shelf, cut, seen, (seed, row.text, number))
            if draft is None:
                build.counts.read += 1
                build.counts.drop("no_passage")
                if not number:  # a source is missing, or no document is long enough
                    break
                continue
            seen.add((row.family, draft.input))
            slots.append(Slot(row, number, draft))
    return slots


def _wanted(row: Instruction, rows: Sequence[Instruction], config: InstancesConfig) -> int:
    """How many questions an instruction gets; held-out phrasings share their family's."""
    if row.split != "heldout":
        return config.per_instruction
    sharing = sum(1 for other in rows if other.family == row.family and other.split == "heldout")
    return math.ceil(config.heldout_per_family / sharing)


def _draft(
    family: Family,
    shelf: Shelf,
    cut: Cut,
    seen: set[tuple[str, str]],
    name: tuple[object, ...],
) -> Draft | None:
    rng = generator("draft", family.name, *name)
    for _ in range(MAX_DRAWS):
        draft = family.draw(shelf, cut, rng)
        if draft is not None and (family.name, draft.input) not in seen:
            return draft
    return None
