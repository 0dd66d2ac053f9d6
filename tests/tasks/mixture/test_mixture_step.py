import pytest

from pipeline_config.mixture import MixtureConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.session import Session
from storage.steps import step
from tasks.mixture.task import mixture


@step("some-tokens", version="1")
def some_tokens(build: Build, tokens: int) -> None:
    build.counts.extra["train"] = {"documents": 1, "tokens": tokens, "bytes": 3 * tokens}
    build.add_json("tokens.json", tokens)


@pytest.fixture
def tokens(direct: Session) -> dict[str, ArtifactRef]:
    return {"small": some_tokens(100), "large": some_tokens(900)}


def test_weights_file_and_figures(direct: Session, tokens: dict[str, ArtifactRef]) -> None:
    config = MixtureConfig(method="temperature", temperature=2, max_epochs=2)
    manifest = direct.store.manifest_of(mixture(tokens, config, num_tokens=1000))
    (entry,) = manifest.files
    assert entry.name == "weights.json"
    assert direct.store.blob_path(entry).read_text() == (
        '{"large":{"epochs":0.8333333333333334,"train_tokens":900,"weight":0.75},'
        '"small":{"epochs":2.5,"train_tokens":100,"weight":0.25}}'
    )
    assert manifest.counts.extra["num_tokens"] == 1000
    assert manifest.counts.extra["sources"]["small"]["epochs"] == 2.5
    assert [warning[:16] for warning in manifest.counts.extra["warnings"]] == ["small: 2.5 epoch"]
    assert (manifest.counts.read, manifest.counts.kept) == (2, 2)


def test_source_left_out_is_counted(direct: Session, tokens: dict[str, ArtifactRef]) -> None:
    config = MixtureConfig(method="fixed", weights={"large": 1, "small": 0})
    counts = direct.store.manifest_of(mixture(tokens, config, 10)).counts
    assert (counts.read, counts.kept, counts.dropped) == (2, 1, {"weight 0": 1})


def test_order_of_sources_changes_nothing(direct: Session, tokens: dict[str, ArtifactRef]) -> None:
    other_way = dict(reversed(tokens.items()))
    config = MixtureConfig()
    assert mixture(tokens, config, 10).recipe == mixture(other_way, config, 10).recipe
