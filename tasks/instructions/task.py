"""The steps of this stage: Self-Instruct's four, in order."""

from pipeline_config.instructions import BootstrapConfig, InstancesConfig
from pipeline_config.teacher import TeacherConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


def _seed_tasks(config: BootstrapConfig, **_: object) -> str:
    """The digest of the seed tasks: a file that steps read from outside the store."""
    from tasks.instructions.seeds import seed_digest

    return seed_digest(config.seed_tasks)


def _bootstrap_seed_tasks(bootstrap: BootstrapConfig, **_: object) -> str:
    return _seed_tasks(bootstrap)


def _asks_a_model(teacher: TeacherConfig, **_: object) -> bool:
    """A language model may answer differently tomorrow: what it said first is kept."""
    return teacher.kind != "procedural"


@step(
    "write-instructions",
    version="2",
    libraries=("numpy",),
    capture=_asks_a_model,
    identity=_seed_tasks,
)
def write_instructions(
    build: Build, config: BootstrapConfig, teacher: TeacherConfig, seed: int
) -> None:
    """Instructions from seed tasks, in rounds, below the ROUGE-L threshold to each other."""
    from tasks.instructions.write_instructions import write_instructions

    write_instructions(build, config, teacher, seed)


@step(
    "identify-classification",
    version="1",
    libraries=("numpy",),
    capture=_asks_a_model,
    identity=_seed_tasks,
)
def identify_classification(
    build: Build,
    instructions: ArtifactRef,
    config: BootstrapConfig,
    teacher: TeacherConfig,
    seed: int,
) -> None:
    """Which instructions are classification."""
    from tasks.instructions.identify_classification import identify_classification

    identify_classification(build, instructions, config, teacher, seed)


@step(
    "write-instances",
    version="2",
    libraries=("numpy",),
    capture=_asks_a_model,
    identity=_bootstrap_seed_tasks,
)
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
    """Inputs over the user's documents (`tokens` by source), and answers."""
    from tasks.instructions.write_instances import write_instances

    write_instances(build, instructions, corpus, tokens, bootstrap, config, teacher, seed)


@step("filter-instances", version="1", libraries=("numpy",))
def filter_instances(build: Build, instances: ArtifactRef, seed: int) -> None:
    """Training, held-out and control conversations; the rejected ones with reasons."""
    from tasks.instructions.filter_instances import filter_instances

    filter_instances(build, instances, seed)
