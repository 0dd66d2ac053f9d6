"""Conversations to fine-tune on, and held-out ones to be measured with: Self-Instruct.

    seed tasks ─► write-instructions ─► identify-classification ─► write-instances ─► filter
                        ▲ teacher                                        ▲ documents

Documents are quoted on the side of the split where the tokens have them.
"""

from flows.build_mixture import Mixture, build_mixture
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import made_so_far
from tasks.instructions.task import (
    filter_instances,
    identify_classification,
    write_instances,
    write_instructions,
)
from tasks.report.task import report


def build_instructions(
    config: PipelineConfig, corpus: ArtifactRef, mixture: Mixture
) -> ArtifactRef:
    """Filtered conversations; training ones quote only what the base model was trained on."""
    settings, teacher = config.instructions, config.teacher
    written = write_instructions(settings.bootstrap, teacher, settings.seed)
    identified = identify_classification(written, settings.bootstrap, teacher, settings.seed)
    instances = write_instances(
        identified,
        corpus,
        mixture.tokens,
        settings.bootstrap,
        settings.instances,
        teacher,
        settings.seed,
    )
    return filter_instances(instances, settings.seed)


def compose(config: PipelineConfig) -> None:
    """The flow."""
    corpus = refresh_corpus(config)
    build_instructions(config, corpus, build_mixture(config, corpus))
    report(made_so_far(), config.report)
