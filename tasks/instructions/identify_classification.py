"""Step 2 of Self-Instruct: is an instruction classification? It decides how examples are asked for.

An answer that is neither yes nor no is asked once more; after that the task counts as not
classification, as in the reference, but the doubt is counted.

Output: `instructions.jsonl`, as before with `is_classification`.
"""

from pipeline_config.instructions import BootstrapConfig
from pipeline_config.teacher import TeacherConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.conversations import read_json_lines, write_json_lines
from tasks.instructions.asking import note_response, teachers
from tasks.instructions.parsing import parse_yes_no
from tasks.instructions.prompts import ask_classification
from tasks.instructions.records import Instruction, instruction
from tasks.instructions.seeds import SeedTask, load_seed_tasks, seed_file
from tasks.instructions.skills import IDENTIFY
from tasks.teacher.exchange import Params, Request, Teacher

PARAMS = Params(temperature=0.0, max_tokens=8)  # a Yes or a No
TIMES_ASKED = 2


def identify_classification(
    build: Build,
    instructions: ArtifactRef,
    config: BootstrapConfig,
    teacher: TeacherConfig,
    seed: int,
) -> None:
    """Asks the teacher that wrote it about each instruction."""
    rows = [instruction(r) for r in read_json_lines(build.path(instructions, "instructions.jsonl"))]
    seeds = load_seed_tasks(seed_file(config.seed_tasks))
    with teachers(build, config.families, teacher) as asked:
        answers = {
            kind: _ask(build, [r for r in rows if r.teacher == kind], one, seeds, seed)
            for kind, one in asked.items()
        }
    known = {key: value for answer in answers.values() for key, value in answer.items()}
    build.counts.read = build.counts.kept = len(rows)
    build.counts.extra["classification"] = sum(known.values())
    path = build.scratch / "instructions.jsonl"
    write_json_lines(path, (row.with_answer(known[row.id]).row() for row in rows))
    build.add_file(path.name, path, rows=len(rows))


def _ask(
    build: Build, rows: list[Instruction], teacher: Teacher, seeds: list[SeedTask], seed: int
) -> dict[str, bool]:
    """Instruction id -> whether it is classification."""
    known: dict[str, bool] = {}
    open_rows = rows
    for attempt in range(TIMES_ASKED):
        requests = [
            Request(
                IDENTIFY,
                ask_classification(row.text, seeds),
                PARAMS,
                seed,
                sample_index=attempt,
                vars={"instruction": row.text},
            )
            for row in open_rows
        ]
        for row, response in zip(open_rows, teacher.answer(requests), strict=True):
            answer = parse_yes_no(response.text) if note_response(build, response) else None
            if answer is not None:
                known[row.id] = answer
        open_rows = [row for row in open_rows if row.id not in known]
    if open_rows:
        build.counts.extra["unclear"] = len(open_rows) + build.counts.extra.get("unclear", 0)
    return known | {row.id: False for row in open_rows}
