"""Which tokenizer a run uses: the one pinned under a name, or one trained for it.

A pin is a moving reference of the store, `pins/tokenizer/<name>-<settings>`. It is set once, when
the first run under that name passes its gates; from then on runs with the same name and the same
tokenizer settings use it, whatever their documents, so that a monthly crawl keeps its token shards.
Another name (a date, to refit as of then) or another setting is another pin.
"""

from pipeline_config.tokenization import TokenizationConfig
from storage.artifact import ArtifactRef
from storage.fingerprint import fingerprint
from storage.runs import read_reference
from storage.store import Store, StoreError


def pin_name(config: TokenizationConfig) -> str:
    """The reference that holds the pinned tokenizer, "" when none is wanted."""
    if not config.pin:
        return ""
    return f"pins/tokenizer/{config.pin}-{fingerprint(config.tokenizer)[:8]}"


def pinned_tokenizer(store: Store, config: TokenizationConfig) -> ArtifactRef | None:
    """The tokenizer that this run must use, or None when it is to train one.

    Raises:
        StoreError: when the pinned tokenizer is damaged. Training another one quietly would make
            every token shard and model made with the old one useless.
    """
    name = pin_name(config)
    reference = read_reference(store, name) if name else None
    if reference is None:
        return None
    if store.missing(store.manifest_of(reference.artifact)):
        raise StoreError(
            f"the tokenizer pinned as {name} has lost files; restore them, or set "
            f"tokenization.pin to another name than {config.pin!r} to train a new one"
        )
    return reference.artifact
