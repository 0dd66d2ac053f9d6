"""What the documentation says is true: commands, settings, paths, links, steps and reasons."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclopts import App
from pydantic import BaseModel

from flows.__main__ import build_app
from pipeline_config.load import load_config, preset_names
from pipeline_config.quality import C4Rules, FineWebRules, QualityRules
from tasks.quality.rules import limits

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STAGES = (ROOT / "docs" / "stages.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

# Calls whose first text is the reason under which a record is dropped, functions that return one,
# and calls that have it in second place.
REASON_CALLS = {
    "drop",
    "EncodingError",
    "NoTextError",
    "RefusedError",
    "UnreadableError",
    "UnusableRecordError",
}
REASON_FUNCTIONS = {"fault", "instruction_fault", "invalid"}
FILE_ENDINGS = (
    *(".py", ".md", ".html", ".json", ".jsonl", ".jinja", ".parquet"),
    *(".bin", ".gz", ".safetensors", ".sqlite", ".tiktoken", ".tokens", ".txt"),
)


def blocks(text: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text) if language in languages]


def commands(text: str) -> list[list[str]]:
    """The words behind `crawl2chat` in code blocks, tables and sentences."""
    lines = [line for body in blocks(text, "sh") for line in body.splitlines()]
    spans = INLINE.findall(FENCE.sub("", text))
    found = [shlex.split(line, comments=True) for line in [*lines, *spans] if "crawl2chat " in line]
    return [words[1:] for words in found if words and words[0] == "crawl2chat"]


def parsed(words: list[str]) -> dict[str, Any]:
    """The arguments that the command line understands; an error for any that it does not."""
    _, bound, rest = build_app().parse_args(words, print_error=False, exit_on_error=False)
    assert not rest
    return dict(bound.arguments)


def every_command() -> list[tuple[str, list[str]]]:
    return [
        (page.name, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    ("page", "words"), every_command(), ids=lambda value: "-".join(value) if value else ""
)
def test_command_is_understood(page: str, words: list[str]) -> None:
    assert parsed(words) is not None


def leaves() -> dict[str, App]:
    """The commands that do something, by their words."""
    found: dict[str, App] = {}

    def walk(app: App, words: tuple[str, ...]) -> None:
        below = [name for name in app if not name.startswith("-")]
        if not below:
            found[" ".join(words)] = app
        for name in below:
            walk(app[name], (*words, name))

    walk(build_app(), ())
    return found


LEAVES = leaves()


def leaf_of(words: list[str]) -> str:
    return words[0] if words[0] in LEAVES else " ".join(words[:2])


def option_rows() -> dict[str, set[str]]:
    """The options of each command in the README's table."""
    rows = re.findall(r"^\| `crawl2chat ([^`]+)` \| .* \| (.*) \|$", README, re.MULTILINE)
    return {leaf_of(shlex.split(words)): set(INLINE.findall(options)) for words, options in rows}


def test_table_has_every_command() -> None:
    assert option_rows().keys() == LEAVES.keys()


@pytest.mark.parametrize(("command", "listed"), option_rows().items())
def test_table_lists_exactly_the_options(command: str, listed: set[str]) -> None:
    arguments = LEAVES[command].assemble_argument_collection()
    names = {name for argument in arguments for name in argument.names}
    assert listed == {name for name in names if name.startswith("--")}


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    lines = [line for text in texts for body in blocks(text, "sh") for line in body.splitlines()]
    spans = [span for text in texts for span in INLINE.findall(FENCE.sub("", text))]
    named = {found[1] for line in [*lines, *spans] if (found := re.match(r"make ([a-z-]+)", line))}
    assert {"demo", "test"} <= named <= targets


# ---- settings


def yaml_blocks() -> list[str]:
    return blocks(README, "yaml")


def as_preset(body: str, path: Path) -> str:
    """A file with a preset of the README; a part of one is put beside its sources."""
    data = yaml.safe_load(body)
    if "crawl" not in data:
        body = f"{yaml_blocks()[0]}\n{body}"
    path.write_text(body, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("body", yaml_blocks(), ids=lambda body: body.split(":")[0])
def test_yaml_is_a_preset(body: str, tmp_path: Path) -> None:
    config = load_config(as_preset(body, tmp_path / "my.yaml"))
    assert config.crawl.sources


def test_presets_and_settings_of_commands_are_real(tmp_path: Path) -> None:
    mine = as_preset(yaml_blocks()[0], tmp_path / "my.yaml")
    checked = 0
    for words in commands(README):
        arguments = parsed(words)
        preset = arguments.get("preset", "demo")
        assert preset in (*preset_names(), "my.yaml")
        load_config(mine if preset == "my.yaml" else preset, arguments.get("set_", ()))
        checked += bool(arguments.get("set_"))
    assert checked >= 2


def test_settings_of_the_stages_page_are_in_the_configuration(tmp_path: Path) -> None:
    """Dotted settings in backticks, such as `heldout.share`, are the end of some key."""
    mine = load_config(as_preset(yaml_blocks()[0], tmp_path / "my.yaml"))
    known = {*keys_of(mine), *keys_of(load_config("demo"))}
    missing = {
        text
        for text in INLINE.findall(FENCE.sub("", STAGES))
        if re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", text)
        and not text.endswith(FILE_ENDINGS)
        and not any(f".{key}".endswith(f".{text}") for key in known)
    }
    assert missing == set()


def keys_of(value: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a configuration."""
    below: list[tuple[str, Any]] = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, BaseModel):
        below = [(name, getattr(value, name)) for name in type(value).model_fields]
    for name, inside in below:
        yield f"{prefix}{name}"
        yield from keys_of(inside, f"{prefix}{name}.")


# ---- paths and links


def tree_paths() -> list[str]:
    """The paths of the README's annotated tree, in full."""
    body = README.split("## Where things are", 1)[1]
    paths: list[str] = []
    parents: list[str] = []
    for line in blocks(body, "")[0].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        parents = [*parents[:depth], name]
        paths.append("".join(parents))
    return paths


@pytest.mark.parametrize("path", tree_paths())
def test_path_of_the_tree_exists(path: str) -> None:
    found = ROOT / path
    assert found.is_dir() if path.endswith("/") else found.is_file()


def test_tree_has_every_stage() -> None:
    stages = {path.parent.name for path in (ROOT / "tasks").glob("*/task.py")}
    assert {f"tasks/{stage}/" for stage in stages} <= set(tree_paths())


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if "://" not in target and not target.startswith("mailto:"):
                yield page, target


@pytest.mark.parametrize(
    ("page", "target"), sorted(set(links())), ids=lambda value: str(value).rsplit("/", 1)[-1]
)
def test_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    found = page.parent / name if name else page
    assert found.exists()
    if anchor:
        headings = HEADING.findall(FENCE.sub("", found.read_text(encoding="utf-8")))
        assert anchor in {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_mentioned_files_exist() -> None:
    """Paths in backticks with a folder of ours in front."""
    rooms = r"(?:pipeline_config|storage|tasks|flows|tests|docs|scripts)"
    named = re.compile(rf"{rooms}/[\w/]+\.(?:py|md|yaml|jsonl|sh)")
    missing = {
        (page.name, text)
        for page in PAGES
        for text in INLINE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        if named.fullmatch(text) and not (ROOT / text).exists()
    }
    assert missing == set()


# ---- steps and reasons


def trees() -> Iterator[ast.Module]:
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def text_of(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def step_names() -> set[str]:
    calls = [node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {text_of(node.args[0]) for node in calls if called(node) == "step" and node.args}


def reasons() -> set[str]:
    """The reasons that are written out in the stages."""
    rules = QualityRules(c4=C4Rules(enabled=True), fineweb=FineWebRules(enabled=True))
    found = {limit.reason for limit in limits(rules)}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and called(node) in REASON_CALLS:
                found.add(text_of(node.args[0]))
            if isinstance(node, ast.Call) and called(node) == "with_reason":
                found.add(text_of(node.args[1]))
            if isinstance(node, ast.FunctionDef) and node.name in REASON_FUNCTIONS:
                returns = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
                inside = [part for value in returns if value for part in ast.walk(value)]
                found |= {text_of(part) for part in inside}
    return found - {""}


def test_stages_page_names_every_step() -> None:
    assert {name for name in step_names() if f"`{name}" not in STAGES} == set()
    assert len(step_names()) >= 19


def test_stages_page_names_every_reason() -> None:
    assert {reason for reason in reasons() if f"`{reason}`" not in STAGES} == set()
    assert {"empty_text", "contradiction", "no_passage", "not_html"} <= reasons()
