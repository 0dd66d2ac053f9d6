"""Step 1 of Self-Instruct: grow a pool of instructions from seed tasks, in rounds.

Every request of a round shows six seed tasks and two machine-written ones, drawn from the pool as
it stood before the round, and asks for more. Answers are read in the order of the requests, never
of their arrival, so the outcome hangs on no timing. A new instruction must pass the filters and
stay below the ROUGE-L threshold to every seed and every instruction accepted before it.

Output: `instructions.jsonl`, the accepted ones with their nearest neighbour, and `rejected.jsonl`,
the others with their reason (records.Instruction).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline_config.instructions import BootstrapConfig
from pipeline_config.teacher import TeacherConfig
from storage.build import Build
from storage.conversations import write_json_lines
from tasks.instructions.asking import note_response, teachers
from tasks.instructions.families.catalog import recognise
from tasks.instructions.filters import instruction_fault, tidy
from tasks.instructions.parsing import parse_numbered
from tasks.instructions.prompts import ask_instructions
from tasks.instructions.records import Instruction
from tasks.instructions.seeds import SeedTask, load_seed_tasks, seed_file
from tasks.instructions.similarity import Neighbour, SimilarityIndex
from tasks.instructions.skills import WRITE
from tasks.teacher.exchange import Params, Request, Response, Teacher, generator
from tasks.teacher.fence import defuse
from tasks.teacher.procedural import ProceduralTeacher


@dataclass
class Pool:
    """All instructions so far: seeds first, then the accepted ones in order."""

    config: BootstrapConfig
    seeds: list[SeedTask]
    index: SimilarityIndex = field(init=False)
    accepted: list[Instruction] = field(default_factory=list)
    rejected: list[Instruction] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Puts the seeds into the index."""
        self.index = SimilarityIndex(self.config.max_rouge, self.config.rule)
        for seed in self.seeds:
            self.index.add(seed.instruction)

    def name_and_text(self, position: int) -> tuple[str, str]:
        """The id and text at a position of the index."""
        if position < len(self.seeds):
            return self.seeds[position].id, self.seeds[position].instruction
        one = self.accepted[position - len(self.seeds)]
        return one.id, one.text

    def offer(self, text: str, response: Response, teacher: Teacher, round_: int) -> bool:
        """Accepts or rejects one new instruction."""
        text = defuse(tidy(text))
        reason = instruction_fault(text, self.config.min_words, self.config.max_words)
        neighbour: Neighbour | None = None
        if not reason:
            neighbour = self.index.find(text)
            reason = "similar" if neighbour else ""
            neighbour = neighbour or self.index.nearest(text)
        nearest_id, nearest = self.name_and_text(neighbour.position) if neighbour else ("", "")
        # of a language model, even the same words are a free instruction: it must not be shown
        # the passages that a family brings
        is_rule = not reason and teacher.kind == ProceduralTeacher.kind
        family = recognise(text, self.config.families) if is_rule else None
        one = Instruction(
            id=f"m{len(self.accepted):05d}" if not reason else f"r{len(self.rejected):05d}",
            text=text,
            teacher=teacher.kind,
            model=teacher.model,
            request=response.key,
            round=round_,
            family=family.name if family else "",
            rouge_max=round(neighbour.score, 6) if neighbour else 0.0,
            nearest_id=nearest_id,
            nearest=nearest,
            reason=reason,
        )
        if reason:
            self.rejected.append(one)
            return False
        self.accepted.append(one)
        self.index.add(text)
        return True


def write_instructions(
    build: Build, config: BootstrapConfig, teacher: TeacherConfig, seed: int
) -> None:
    """Runs the rounds of every teacher and writes what they brought."""
    pool = Pool(config, load_seed_tasks(seed_file(config.seed_tasks)))
    with teachers(build, config.families, teacher) as asked:
        for one in asked.values():
            _bootstrap(build, pool, one, teacher, seed)
    for instruction in pool.rejected:
        build.counts.drop(instruction.reason)
    build.counts.kept = len(pool.accepted)
    build.counts.extra["families"] = _per_family(pool.accepted)
    if not pool.accepted:
        raise ValueError(f"no instruction was accepted: {build.counts}")
    for name, rows in (("instructions", pool.accepted), ("rejected", pool.rejected)):
        path = build.scratch / f"{name}.jsonl"
        write_json_lines(path, (row.row() for row in rows))
        build.add_file(path.name, path, rows=len(rows))


def _bootstrap(
    build: Build, pool: Pool, teacher: Teacher, config: TeacherConfig, seed: int
) -> None:
    """The rounds of one teacher, until it has written enough or nothing new comes."""
    own: list[str] = []  # what it wrote itself; only that is shown to it again
    barren, target = 0, pool.config.target_instructions
    for round_ in range(pool.config.max_rounds):
        requests = _requests(pool, own, config, seed, round_)
        before = len(own)
        for request, response in zip(requests, teacher.answer(requests), strict=True):
            for text in _read(build, pool.config, request, response):
                build.counts.read += 1
                if len(own) >= target:
                    build.counts.drop("beyond_target")
                elif pool.offer(text, response, teacher, round_):
                    own.append(pool.accepted[-1].text)
        build.progress(len(own), target, "instructions", round=round_)
        barren = 0 if len(own) > before else barren + 1
        if len(own) >= target or barren >= pool.config.max_barren_rounds:
            break


def _requests(
    pool: Pool, own: Sequence[str], config: TeacherConfig, seed: int, round_: int
) -> list[Request]:
    """The prompts of one round."""
    requests, number = [], pool.config.requests_per_round
    for at in range(number):
        ordinal = round_ * number + at
        shown = _shown(pool, own, generator(WRITE, seed, ordinal))
        wanted = pool.config.instructions_per_request
        params = Params(
            temperature=config.temperature,
            top_p=config.top_p,
            max_tokens=config.max_answer_tokens,
            stop=(f"\n{len(shown) + wanted + 1}.",),
        )
        requests.append(
            Request(
                WRITE,
                ask_instructions(shown, wanted),
                params,
                seed,
                vars={"shown": shown, "wanted": wanted, "ordinal": ordinal},
            )
        )
    return requests


def _shown(pool: Pool, own: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Machine-written examples as far as there are, seeds for the rest, shuffled."""
    machine = _sample(own, pool.config.machine_in_prompt, rng)
    total = pool.config.seeds_in_prompt + pool.config.machine_in_prompt
    seeds = _sample([seed.instruction for seed in pool.seeds], total - len(machine), rng)
    return [str(text) for text in rng.permutation([*machine, *seeds])]


def _sample(texts: Sequence[str], number: int, rng: np.random.Generator) -> list[str]:
    if not texts:
        return []
    chosen = rng.choice(len(texts), size=min(number, len(texts)), replace=False)
    return [texts[int(at)] for at in chosen]


def _read(build: Build, config: BootstrapConfig, request: Request, response: Response) -> list[str]:
    """The instructions in an answer; a truncated last one and surplus ones are left out."""
    if not note_response(build, response):
        return []
    truncated = response.finish_reason == "length"
    if truncated:
        build.counts.read += 1
        build.counts.drop("truncated")
    first = len(_texts(request)) + 1
    texts = parse_numbered(response.text, first, truncated=truncated)
    surplus = max(0, len(texts) - config.instructions_per_request)
    build.counts.read += surplus
    build.counts.drop("surplus", surplus)
    return texts[: config.instructions_per_request]


def _texts(request: Request) -> list[object]:
    shown = request.vars["shown"]
    assert isinstance(shown, list)
    return shown


def _per_family(accepted: Sequence[Instruction]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in accepted:
        counts[one.family or "free"] = counts.get(one.family or "free", 0) + 1
    return dict(sorted(counts.items()))
