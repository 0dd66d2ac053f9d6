"""Writes the report of everything that a run made so far.

the artifacts of all other steps -> report.html (one page, no scripts, no requests)
                                    summary.md  (for the dashboard, at most 100 kB)
                                    results.txt (for the terminal)

All are functions of the artifacts alone: no run, no time, no machine. Sections whose artifacts are
absent are left out. `tasks.report.run_page` adds a run's timings and cache hits to its own copy.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from tasks.report import (
    gather_classifiers,
    gather_corpus,
    gather_decontamination,
    gather_edits,
    gather_evaluation,
    gather_instructions,
    gather_models,
    headline,
)
from tasks.report.contents import Contents, Provenance
from tasks.report.inputs import Inputs
from tasks.report.page import draw_page
from tasks.report.results import write_results
from tasks.report.settings import step_settings, trial_limit
from tasks.report.summary import write_summary


def report(build: Build, artifacts: Mapping[str, ArtifactRef], config: ReportConfig) -> None:
    """Writes the page, the summary and the results; `artifacts` are named by their run labels.

    Raises:
        ValueError: when there is no artifact at all.
    """
    if not artifacts:
        raise ValueError("the report has nothing to tell: no step has made an artifact")
    contents = gather(Inputs(build, artifacts), config)
    build.counts.read = build.counts.kept = len(artifacts)
    for name, text in (
        ("report.html", draw_page(contents, config)),
        ("summary.md", write_summary(contents)),
        ("results.txt", write_results(contents)),
    ):
        path = build.scratch / name
        path.write_text(text, encoding="utf-8", newline="\n")
        build.add_file(name, path)


def gather(inputs: Inputs, config: ReportConfig) -> Contents:
    """Everything that the report shows."""
    contents = Contents(
        title=config.title,
        trial=trial_limit(inputs.manifests()),
        funnels=gather_corpus.funnels(inputs),
        examples=gather_corpus.examples(inputs, config),
        edits=gather_edits.edits(inputs, config),
        languages=gather_corpus.languages(inputs, config),
        classifiers=gather_classifiers.classifiers(inputs),
        duplicates=gather_corpus.duplicates(inputs, config),
        decontamination=gather_decontamination.decontamination(inputs, config),
        tokenizer=gather_models.tokenizer(inputs),
        mixture=gather_models.mixture(inputs),
        pretrain=gather_models.training(inputs, "pretrain", config),
        bits_per_byte=gather_evaluation.bits_per_byte(inputs),
        instructions=gather_instructions.instructions(inputs, config),
        sft=gather_models.training(inputs, "sft", config),
        accuracy=gather_evaluation.accuracy(inputs),
        samples=gather_evaluation.samples(inputs, config),
        settings=step_settings(inputs.manifests()),
        provenance=_provenance(inputs),
    )
    return replace(contents, title=config.title or headline.title(contents))


def _provenance(inputs: Inputs) -> tuple[Provenance, ...]:
    return tuple(
        Provenance(
            label,
            manifest.version,
            manifest.recipe,
            manifest.digest,
            manifest.ref.rows,
            tuple(f"{name} {version}" for name, version in sorted(manifest.libraries.items())),
        )
        for label, manifest in inputs.manifests()
    )
