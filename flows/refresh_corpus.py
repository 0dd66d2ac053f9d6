"""The corpus: from the sources to documents that are good, and there once.

sources ─► fetch, extract | read ─► score, [classify], decide ─► edit ─► sign ─► dedup
        ─► [substring] ─► [decontaminate] ─► assemble
"""

from pipeline_config.pipeline import PipelineConfig
from pipeline_config.quality import QualityConfig
from storage.artifact import ArtifactRef
from storage.session import adopt, current_store, made_so_far
from tasks.corpus.task import assemble
from tasks.crawl.task import extract, fetch, read
from tasks.decontamination.task import collect_items, decontaminate
from tasks.dedup.task import dedup, sign, substring
from tasks.quality.pin import classifier_pin, cutoff_pin, pinned
from tasks.quality.task import (
    classify,
    decide,
    edit,
    find_boilerplate,
    find_cutoff,
    score,
    train_classifier,
)
from tasks.report.task import report


def refresh_corpus(config: PipelineConfig) -> ArtifactRef:
    """The kept documents of every source, edited."""
    documents, scores, classes, edited, signatures = {}, {}, {}, {}, {}
    for name in sorted(config.crawl.sources):
        documents[name] = ingest(name, config)
        c4_lines = config.edits.for_source(name).c4_lines.switched_on()
        scores[name] = score(documents[name], config.quality.score_of(name), c4_lines, label=name)
    classifiers = learn(documents, scores, config.quality)
    for name in documents:
        classes[name] = {
            classifier: classify(documents[name], model, label=f"{classifier}/{name}")
            for classifier, model in classifiers.items()
        }
        decided = judge(name, scores[name], classes[name], config.quality)
        edited[name] = clean_up(name, documents[name], decided, config)
        signatures[name] = sign(documents[name], edited[name], config.dedup.signature, label=name)
    ranks = None
    if config.dedup.keep == "best_score":
        best = config.dedup.keep_classifier
        ranks = {name: classes[name][best] for name in documents} if best else scores
    deduped = dedup(signatures, edited, config.dedup.of_documents, ranks)
    layers: list[dict[str, ArtifactRef] | ArtifactRef] = [edited, deduped]
    cut = None
    if config.dedup.substring.enabled:
        cut = substring(documents, edited, deduped, config.dedup.substring)
        layers.append(cut)
    if sets := config.decontamination.sets:
        items, clean = collect_items(sets), {}
        for name in documents:
            match = config.decontamination.for_source(name)
            clean[name] = decontaminate(
                documents[name], edited[name], deduped, cut, items, match, name, label=name
            )
        layers.append(clean)
    return assemble(documents, layers)


def ingest(name: str, config: PipelineConfig) -> ArtifactRef:
    """The documents of one source: captured and extracted, or read where they lie."""
    crawl = config.crawl
    if crawl.is_captured(name):
        capture = fetch(crawl.to_fetch(name), label=name)
        return extract(capture, crawl.to_extract(name), label=name)
    return read(crawl.to_read(name), label=name)


def learn(
    documents: dict[str, ArtifactRef], scores: dict[str, ArtifactRef], config: QualityConfig
) -> dict[str, ArtifactRef]:
    """The classifiers: those that are pinned, or new ones."""
    found = {}
    for name, classifier in sorted(config.classifiers.items()):
        sources = classifier.sources
        made_before = pinned(current_store(), classifier_pin(config, name))
        found[name] = adopt(f"train-classifier/{name}", made_before) or train_classifier(
            {source: documents[source] for source in sources},
            {source: scores[source] for source in sources},
            {source: config.for_source(source).without_classifiers() for source in sources},
            classifier.unpinned(),
            label=name,
        )
    return found


def judge(
    name: str, scores: ArtifactRef, classes: dict[str, ArtifactRef], config: QualityConfig
) -> ArtifactRef:
    """The decisions on one source: by its signals, and by what classifiers make of its texts."""
    rules = config.for_source(name)
    limits = rules.classifier_limits
    deciding = {classifier: classes[classifier] for classifier in limits.names}
    cutoffs = {}
    for classifier in (each for each in limits.names if each in limits.keep_share):
        label = f"{classifier}/{name}"
        made_before = pinned(current_store(), cutoff_pin(config, classifier, name))
        cutoffs[classifier] = adopt(f"find-cutoff/{label}", made_before) or find_cutoff(
            scores, deciding, classifier, rules, label=label
        )
    return decide(scores, deciding, cutoffs, rules, label=name)


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
