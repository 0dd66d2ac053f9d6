"""One line per mistake: place, key, value, fix."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.load import ConfigError, load_config, load_for_run, load_preset, preset_path
from pipeline_config.yaml_file import YamlError, parse_value, read_yaml


class Files(StageConfig):
    kind: Literal["files"] = "files"
    path: str = "."


class Site(StageConfig):
    kind: Literal["site"] = "site"
    delay: float = Field(default=1.0, ge=0, description="seconds between requests")


class Crawl(StageConfig):
    sources: dict[str, Annotated[Files | Site, Field(discriminator="kind")]] = Field(
        default_factory=lambda: {"docs": Site(), "code": Files(path="src")}
    )


class Dedup(StageConfig):
    num_bands: int = Field(default=14, ge=1, le=256, description="bands of the signature")
    num_rows: int = Field(default=8, ge=1)
    as_of: str = ""
    keep: Literal["first", "longest"] = "first"

    @model_validator(mode="after")
    def _fits(self) -> "Dedup":
        if self.num_bands * self.num_rows > 512:
            raise ValueError(f"num_bands * num_rows is {self.num_bands * self.num_rows}, above 512")
        return self


class Pipeline(StageConfig):
    crawl: Crawl = Crawl()
    dedup: Dedup = Dedup()
    name: str = Field(default="", description="what to call it")
    thresholds: dict[str, float] = Field(default_factory=lambda: {"a": 0.5})


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("# a preset\ndedup:\n  num_bands: 20\n")
    return path


def load(path: Path, *sets: str) -> Pipeline:
    return load_preset(str(path), sets, Pipeline)


def fails(path: Path, *sets: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, *sets)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_preset_and_overrides_lie_over_the_defaults(preset: Path) -> None:
    config = load(preset, "dedup.num_rows=4", "dedup.as_of=2024-06-01", "dedup.keep=longest")
    assert config.dedup == Dedup(num_bands=20, num_rows=4, as_of="2024-06-01", keep="longest")


def test_override_reaches_into_a_mapping_that_only_the_defaults_hold(preset: Path) -> None:
    config = load(preset, "crawl.sources.docs.delay=0.1", "thresholds.b=1e-3")
    assert config.crawl.sources == {"docs": Site(delay=0.1), "code": Files(path="src")}
    assert config.thresholds == {"a": 0.5, "b": 0.001}


def test_override_adds_an_entry_to_a_mapping(preset: Path) -> None:
    config = load(preset, "crawl.sources.more={kind: files, path: /data}")
    assert config.crawl.sources["more"] == Files(path="/data")
    assert len(config.crawl.sources) == 3


def test_overrides_may_be_a_mapping_of_dotted_or_nested_keys(preset: Path) -> None:
    config = load_preset(str(preset), {"dedup.num_rows": 3, "dedup": {"keep": "longest"}}, Pipeline)
    assert (config.dedup.num_rows, config.dedup.keep) == (3, "longest")


def test_unknown_key_in_the_file_names_the_line_and_the_nearest_key(preset: Path) -> None:
    preset.write_text("dedup:\n  num_rows: 8\n  num_band: 20\n")
    assert fails(preset) == (f"{preset}:3: unknown key dedup.num_band; did you mean num_bands?")


def test_unknown_key_far_from_any_lists_those_there_are(preset: Path) -> None:
    assert fails(preset, "dedup.zzz=1") == (
        "--set dedup.zzz=1: unknown key dedup.zzz; there are as_of, keep, num_bands, num_rows"
    )


def test_unknown_stage_names_the_nearest(preset: Path) -> None:
    assert fails(preset, "dedupe.num_bands=1") == (
        "--set dedupe.num_bands=1: unknown key dedupe; did you mean dedup?"
    )


def test_value_out_of_bounds_names_value_bound_and_meaning(preset: Path) -> None:
    preset.write_text("dedup: {num_bands: 0}\n")
    assert fails(preset) == (
        f"{preset}:1: dedup.num_bands = 0: must be greater than or equal to 1 "
        "(bands of the signature)"
    )


def test_wrong_type_names_the_override(preset: Path) -> None:
    message = fails(preset, "dedup.num_bands=many")
    assert message.startswith("--set dedup.num_bands=many: must be a valid integer")


def test_wrong_choice_lists_the_choices(preset: Path) -> None:
    assert "must be 'first' or 'longest'" in fails(preset, "dedup.keep=last")


def test_key_under_a_union_is_named_without_the_member(preset: Path) -> None:
    assert fails(preset, "crawl.sources.docs.dely=1") == (
        "--set crawl.sources.docs.dely=1: unknown key crawl.sources.docs.dely; did you mean delay?"
    )
    message = fails(preset, "crawl.sources.docs.delay=-1")
    assert message.startswith("--set crawl.sources.docs.delay=-1: must be greater")
    assert "(seconds between requests)" in message


def test_check_across_fields_names_the_stage(preset: Path) -> None:
    assert fails(preset, "dedup.num_rows=100") == (
        "--set dedup.num_rows=100: dedup: num_bands * num_rows is 2000, above 512"
    )


def test_every_mistake_has_a_line_of_its_own(preset: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(preset, "dedup.num_bands=0", "dedup.num_rows=0", "dedup.keeep=first")
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("--set dedup.num_bands=0: must be")
    assert second.startswith("--set dedup.num_rows=0: must be")
    assert third.endswith("unknown key dedup.keeep; did you mean keep?")


def test_what_follows_from_a_mistake_is_no_mistake() -> None:
    """num_rows and num_bands are computed from min_similarity."""
    with pytest.raises(ConfigError) as caught:
        load_config("demo", ["dedup.min_similarity=1.5"])
    assert str(caught.value).startswith("--set dedup.min_similarity=1.5: must be less than")
    assert "\n" not in str(caught.value)


def test_check_across_fields_blames_those_it_names(preset: Path) -> None:
    """Another override of the same stage has nothing to do with it."""
    preset.write_text("dedup:\n  num_rows: 100\n  num_bands: 20\n")
    assert fails(preset, "dedup.as_of=today", "name=x") == (
        f"{preset}:3: dedup: num_bands * num_rows is 2000, above 512"
    )


def test_check_across_stages_blames_those_it_names() -> None:
    """Found by a new user: the first override was blamed for anything."""
    message = "quality.sources names 'blog', which is no source; use one of code, docs, readmes"
    wrong = "quality.sources.blog.language.min_score=0.5"
    with pytest.raises(ConfigError) as caught:
        load_config("demo", ["dedup.num_rows=4", wrong])
    assert str(caught.value) == f"--set {wrong}: {message}"


def test_a_missing_contact_is_no_fault_of_another_setting(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("crawl:\n  sources:\n    web: {kind: live, seeds: ['https://a.org/']}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), ["crawl.sources.web.retries=0"])
    assert str(caught.value).startswith(f"{path}:3: crawl.sources.web: contact is empty; give")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("{kind: json, paths: [a]}", "crawl.sources.web.kind = 'json': did you mean jsonl?"),
        ("{kind: x, paths: [a]}", "crawl.sources.web.kind = 'x': there are live, "),
        ("{paths: [a]}", "crawl.sources.web.kind is missing; set it to say what crawl.sources.web"),
    ],
)
def test_unknown_kind_names_the_nearest(tmp_path: Path, kind: str, expected: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"crawl:\n  sources:\n    web: {kind}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    assert str(caught.value).startswith(f"{path}:3: {expected}")


FILES = """
crawl:
  sources: {notes: {kind: text, paths: [HERE]}}
  url_filter: {files: {domains: [HERE/no-domains]}}
quality:
  score: {language_model: HERE/no-model.bin}
  classifiers:
    prose: {positives: {paths: [HERE/a*.txt]}, negatives: {paths: ["HERE/no*.txt"]}}
    toxic: {model: HERE/no-toxic.bin}
edits:
  words: {lists: [HERE/a.txt, HERE/no-list.txt]}
  sources: {notes: {words: {lists: [HERE/no-other.txt]}}}
decontamination: {sets: {exam: {paths: [HERE/no-exam.jsonl], columns: [q]}}}
"""


def test_files_that_are_not_there_are_named_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word")
    path = tmp_path / "my.yaml"
    path.write_text(FILES.replace("HERE", str(tmp_path)))
    assert load_config(str(path)).edits.words.lists
    with pytest.raises(ConfigError) as caught:
        load_for_run(str(path), ["instructions.bootstrap.seed_tasks=no-seeds"])
    lines = str(caught.value).splitlines()
    places = [line.split(": no file ")[0].replace(f"{path}:", "") for line in lines]
    assert places == [
        "4: crawl.url_filter.files.domains",
        "6: quality.score.language_model",
        "8: quality.classifiers.prose.negatives.paths",
        "9: quality.classifiers.toxic.model",
        "11: edits.words.lists",
        "12: edits.sources.notes.words.lists",
        "13: decontamination.sets.exam.paths",
        "--set instructions.bootstrap.seed_tasks=no-seeds: instructions.bootstrap.seed_tasks",
    ]
    assert f"no file '{tmp_path}/no-list.txt' (from " in lines[4]


@pytest.mark.parametrize("text", ["dedup.num_bands", "=3", "dedup..x=1"])
def test_override_without_key_or_value_shows_the_form(preset: Path, text: str) -> None:
    assert fails(preset, text) == f"--set {text}: expected key=value such as dedup.num_bands=20"


def test_override_that_is_no_yaml_says_so(preset: Path) -> None:
    assert "is no YAML value" in fails(preset, "name=[1")


def test_scalar_where_a_stage_is_expected(preset: Path) -> None:
    preset.write_text("dedup: 3\n")
    assert fails(preset).startswith(f"{preset}:1: dedup = 3: must be")


def test_unknown_preset_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"^unknown preset 'nope'; there are .*, or give the pat"):
        preset_path("nope")


def test_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^no file nowhere/mine\.yaml"):
        preset_path("nowhere/mine.yaml")


def test_broken_yaml_names_the_line(preset: Path) -> None:
    preset.write_text("dedup:\n  num_bands: [1, 2\nname: x\n")
    message = fails(preset)
    assert message.startswith(f"{preset}:3: broken YAML: ")


def test_repeated_key_is_an_error(preset: Path) -> None:
    preset.write_text("name: a\ndedup: {}\nname: b\n")
    assert fails(preset) == f"{preset}:3: name stands here and in line 1; remove one of them"


def test_list_instead_of_keys_is_an_error(preset: Path) -> None:
    preset.write_text("- a\n")
    assert fails(preset) == f"{preset}:1: expected keys such as `dedup:`, found a list"


def test_empty_preset_is_the_defaults(preset: Path) -> None:
    preset.write_text("# nothing\n")
    assert load(preset) == Pipeline()


def test_scalars_are_read_as_people_mean_them() -> None:
    texts = ["20", "3e-4", "1.5", ".5", "no", "on", "true", "null", "2024-06-01", "10:30", "'7'"]
    values = [20, 3e-4, 1.5, 0.5, "no", "on", True, None, "2024-06-01", "10:30", "7"]
    assert [parse_value(text) for text in texts] == values


def test_lines_of_keys_inside_lists_are_known(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a:\n  - b: 1\n  - b: 2\n")
    assert read_yaml(path)[1][("a", "1", "b")] == 3


def test_override_of_the_dashboard_is_called_one(preset: Path) -> None:
    with pytest.raises(ConfigError, match=r"^override dedup\.num_rows=0: must"):
        load_preset(str(preset), {"dedup.num_rows": 0}, Pipeline)


def test_binary_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: \x07\n")
    with pytest.raises(YamlError, match="broken YAML"):
        read_yaml(path)
