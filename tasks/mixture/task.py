"""The step of this stage."""

from pipeline_config.mixture import MixtureConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


@step("mixture", version="1")
def mixture(
    build: Build, tokens: dict[str, ArtifactRef], config: MixtureConfig, num_tokens: int
) -> None:
    """Weights of the sources (source -> token shards) for a training of `num_tokens` tokens."""
    from tasks.mixture.weigh import weigh

    weigh(build, tokens, config, num_tokens)
