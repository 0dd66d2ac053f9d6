"""The corpus: from the sources to documents that are good, and there once.

sources ─► fetch, extract | read ─► score, decide ─► edit ─► sign ─► dedup
        ─► [substring] ─► [decontaminate] ─► assemble
"""

from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import made_so_far
from tasks.corpus.task import assemble
from tasks.crawl.task import extract, fetch, read
from tasks.decontamination.task import collect_items, decontaminate
from tasks.dedup.task import dedup, sign, substring
from tasks.quality.task import decide, edit, find_boilerplate, score
from tasks.report.task import report


def refresh_corpus(config: PipelineConfig) -> ArtifactRef:
    """The kept documents of every source, edited."""
    documents, edited, signatures = {}, {}, {}
    for name in sorted(config.crawl.sources):
        documents[name] = ingest(name, config)
        c4_lines = config.edits.for_source(name).c4_lines.switched_on()
        scores = score(documents[name], config.quality.score, c4_lines, label=name)
        decided = decide(scores, config.quality.for_source(name), label=name)
        edited[name] = clean_up(name, documents[name], decided, config)
        signatures[name] = sign(documents[name], edited[name], config.dedup.signature, label=name)
    deduped = dedup(signatures, edited, config.dedup.of_documents)
    layers: list[dict[str, ArtifactRef] | ArtifactRef] = [edited, deduped]
    cut = None
    if config.dedup.substring.enabled:
        cut = substring(documents, edited, deduped, config.dedup.substring)
        layers.append(cut)
    if sets := config.decontamination.sets:
        items, match = collect_items(sets), config.decontamination.match
        clean = {
            name: decontaminate(
                documents[name], edited[name], deduped, cut, items, match, name, label=name
            )
            for name in documents
        }
        layers.append(clean)
    return assemble(documents, layers)


def ingest(name: str, config: PipelineConfig) -> ArtifactRef:
    """The documents of one source: captured and extracted, or read where they lie."""
    crawl = config.crawl
    if crawl.is_captured(name):
        capture = fetch(crawl.to_fetch(name), label=name)
        return extract(capture, crawl.to_extract(name), label=name)
    return read(crawl.to_read(name), label=name)


def clean_up(
    name: str, documents: ArtifactRef, decided: ArtifactRef, config: PipelineConfig
) -> ArtifactRef:
    """The edits of one source: lines that do not belong to the text, and what is personal."""
    rules = config.edits.for_source(name)
    repeated = rules.repeated_lines
    boilerplate = None
    if repeated.across_pages:
        boilerplate = find_boilerplate(documents, decided, repeated, label=name)
    return edit(documents, decided, boilerplate, rules, label=name)


def compose(config: PipelineConfig) -> None:
    """The flow."""
    refresh_corpus(config)
    report(made_so_far(), config.report)
