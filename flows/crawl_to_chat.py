"""Everything: from the sources to a chat model and its report.

sources ─► corpus ─► mixture ─► base model ─┐
              └────► instructions ──────────┴─► chat model ─► evaluation ─► report
"""

from flows.align import align
from flows.build_instructions import build_instructions
from flows.build_mixture import build_mixture
from flows.evaluate import evaluate
from flows.pretrain import pretrain_base
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.session import made_so_far
from tasks.report.task import report


def compose(config: PipelineConfig) -> None:
    """The flow."""
    corpus = refresh_corpus(config)
    mixture = build_mixture(config, corpus)
    base = pretrain_base(config, mixture)
    conversations = build_instructions(config, corpus, mixture)
    chat = align(config, base, conversations)
    evaluate(config, base, chat, conversations)
    report(made_so_far(), config.report)
