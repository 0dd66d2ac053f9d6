"""Which classifiers and cut-offs a run uses: those pinned under a name, or new ones.

As the tokenizer's: `pins/classifier/<pin>-<name>-<settings>` and
`pins/cutoff/<pin>-<name>-<source>-<settings>` are references of the store, set once, when the first
run under that pin passes its gates. From then on runs with the same pin and settings use them,
whatever their documents, so that a monthly crawl decides on old documents as before.
"""

from collections.abc import Iterable

from pipeline_config.quality import QualityConfig
from storage.artifact import ArtifactRef
from storage.fingerprint import fingerprint
from storage.runs import read_reference
from storage.store import Store, StoreError


def classifier_pin(config: QualityConfig, name: str) -> str:
    """The reference that holds a classifier, "" when none is wanted."""
    classifier = config.classifiers[name]
    if not classifier.pin:
        return ""
    return f"pins/classifier/{classifier.pin}-{name}-{fingerprint(classifier.unpinned())[:8]}"


def cutoff_pin(config: QualityConfig, name: str, source: str) -> str:
    """The reference that holds a classifier's cut-off for a source, "" when none is wanted."""
    classifier = config.classifiers[name]
    if not classifier.pin:
        return ""
    share = config.for_source(source).classifier_limits.keep_share[name]
    settings = fingerprint([classifier.unpinned(), share])[:8]
    return f"pins/cutoff/{classifier.pin}-{name}-{source}-{settings}"


def quality_pins(config: QualityConfig, sources: Iterable[str]) -> dict[str, str]:
    """The references that a run may set, by the label of the step whose artifact they hold."""
    pins = {f"train-classifier/{name}": classifier_pin(config, name) for name in config.classifiers}
    for source in sources:
        limits = config.for_source(source).classifier_limits
        for name in limits.names:
            if name in limits.keep_share:
                pins[f"find-cutoff/{name}/{source}"] = cutoff_pin(config, name, source)
    return {label: pin for label, pin in sorted(pins.items()) if pin}


def pinned(store: Store, pin: str) -> ArtifactRef | None:
    """What is pinned, or None when this run is to make it.

    Raises:
        StoreError: when it is damaged. Making another one quietly would decide anew on every old
            document.
    """
    reference = read_reference(store, pin) if pin else None
    if reference is None:
        return None
    if store.missing(store.manifest_of(reference.artifact)):
        raise StoreError(
            f"what is pinned as {pin} has lost files; restore them, or set another "
            "quality.classifiers.<name>.pin to make a new one"
        )
    return reference.artifact
