import pytest

from pipeline_config.tokenization import HeldoutConfig, TokenizationConfig, TokenizerConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.runs import move_reference
from storage.session import Session
from storage.steps import step
from storage.store import Store, StoreError
from tasks.tokenization.pin import pin_name, pinned_tokenizer

PINNED = TokenizationConfig(pin="2026-11")


@step("a-tokenizer", version="1")
def a_tokenizer(build: Build) -> None:
    build.add_json("tokenizer.json", {})


@pytest.fixture
def tokenizer(direct: Session) -> ArtifactRef:
    return a_tokenizer()


def test_nothing_is_pinned_at_first(store: Store) -> None:
    assert pin_name(TokenizationConfig()) == ""
    assert pinned_tokenizer(store, TokenizationConfig()) is None
    assert pinned_tokenizer(store, PINNED) is None


def test_pinned_tokenizer_is_used_while_name_and_settings_stay(
    store: Store, tokenizer: ArtifactRef
) -> None:
    move_reference(store, pin_name(PINNED), tokenizer, "run-1")
    other_split = PINNED.model_copy(update={"heldout": HeldoutConfig(share=0.3)})
    assert pinned_tokenizer(store, PINNED) == tokenizer
    assert pinned_tokenizer(store, other_split) == tokenizer


@pytest.mark.parametrize(
    "change", [{"pin": ""}, {"pin": "2026-12"}, {"tokenizer": TokenizerConfig(vocab_size=500)}]
)
def test_another_name_or_setting_is_another_pin(
    store: Store, tokenizer: ArtifactRef, change: dict[str, object]
) -> None:
    move_reference(store, pin_name(PINNED), tokenizer, "run-1")
    assert pinned_tokenizer(store, PINNED.model_copy(update=change)) is None


def test_damaged_pinned_tokenizer_is_never_replaced_quietly(
    store: Store, tokenizer: ArtifactRef
) -> None:
    move_reference(store, pin_name(PINNED), tokenizer, "run-1")
    (entry,) = store.manifest_of(tokenizer).files
    store.blob_path(entry).unlink()
    with pytest.raises(StoreError, match="to another name than '2026-11'"):
        pinned_tokenizer(store, PINNED)
