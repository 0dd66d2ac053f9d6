"""What a user sees: help, one line for a mistake, and a run that can be read while it works."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, CommandLine
from pydantic import BaseModel

from flows.__main__ import main
from flows.cli.ending import how_to_go_on
from storage.runs import StepRun, move_reference, read_run, write_run
from storage.session import session
from storage.steps import step
from storage.store import Store
from tasks.report.page import RUN_LINE_SLOT, RUN_SLOT

COMMANDS = [
    ["run"],
    ["plan"],
    ["up"],
    ["runs", "list"],
    ["runs", "show"],
    ["runs", "diff"],
    ["artifacts", "list"],
    ["artifacts", "show"],
    ["artifacts", "export"],
    ["artifacts", "verify"],
    ["artifacts", "gc"],
    ["chat"],
    ["report"],
]


@step("count", version="1")
def count(build: Any, upto: int) -> None:
    build.counts.read, build.counts.kept = upto, upto - 1
    build.counts.drop("odd", 1)
    build.counts.extra["heldout"] = {"roc_auc": 0.975786, "recall": 1.0, "negative": 1700}
    build.add_json("numbers.json", list(range(upto)))


@step("report", version="1")
def report(build: Any, numbers: Any) -> None:
    page = build.scratch / "report.html"
    page.write_text(f"<h1>{numbers.digest}</h1>" + "".join((*RUN_LINE_SLOT, *RUN_SLOT)))
    build.add_file("report.html", page)


class Config(BaseModel):
    upto: int


@pytest.fixture
def two_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A store whose two runs differ; returns the runs' ids."""
    monkeypatch.setenv("CRAWL2CHAT_STORE", store.url)
    return _one_run(store, 3), _one_run(store, 5)


def _one_run(store: Store, upto: int) -> str:
    config = Config(upto=upto)
    with session(
        store, flow="test", preset="test", config=config, workers=1, through_prefect=False
    ) as current:
        numbers = count(upto, label="small")
        report(numbers)
        move_reference(store, "current/numbers", numbers, current.record.id)
    return current.record.id


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 0
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error of a wrong request."""
    assert main([*arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("crawl2chat: ")
    return captured.err.removeprefix("crawl2chat: ").strip()


# ---- help


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = answer(capsys, *command, "--help")
    assert f"crawl2chat {' '.join(command)}" in text.split("Examples:")[1]


@pytest.mark.parametrize("group", ["runs", "artifacts"])
def test_a_group_of_commands_has_examples_of_its_own(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = answer(capsys, group, "--help").split("Examples:")[1].strip().splitlines()
    assert all(line.split()[:2] == ["crawl2chat", group] for line in examples if line.strip())


def test_an_error_that_may_pass_is_told_apart() -> None:
    assert how_to_go_on(ConnectionResetError("gone")).startswith("run the same command again")
    assert how_to_go_on(ValueError("no column")).startswith("once the cause is mended")


def test_help_and_planning_load_nothing_heavy() -> None:
    code = (
        "import sys; from flows.__main__ import main; main(['--help']); main(['plan', '--help']);"
        "found = {'prefect', 'torch', 'pyarrow', 'fsspec'} & sys.modules.keys();"
        "assert not found, found;"
        "import flows.knobs, flows.progress, flows.server, flows.runner;"
        "found = {'prefect', 'torch', 'transformers', 'numba', 'pandas'} & sys.modules.keys();"
        "assert not found, found;"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


# ---- mistakes


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rn"], 'Unknown command "rn". Did you mean "run"?'),
        (["run", "crawl"], 'Invalid value "crawl" for FLOW. Choose from: "crawl-to-chat"'),
        (["plan", "--limit", "many"], 'unable to convert "many" into int'),
        (["plan", "--limit", "-3"], "--limit -3: must be greater than or equal to 0"),
        (["run", "--preset", "nope"], "unknown preset 'nope'; there are demo"),
        (["run", "--preset", "no/file.yaml"], "no file no/file.yaml"),
        (["run", "--set", "dedup.zzz=1"], "--set dedup.zzz=1: unknown key dedup.zzz"),
        (["plan", "--set", "dedup"], "--set dedup: expected key=value"),
        (["up", "--preset", "nope"], "unknown preset 'nope'"),
        (["chat", "--temperature", "-1"], "--temperature must not be negative"),
        (["artifacts", "gc", "--keep-runs", "-1"], "must not be negative"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_one_line_and_exit_code_2(
    arguments: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in refusal(capsys, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [["runs", "list"], ["runs", "show"], ["artifacts", "list"], ["artifacts", "verify"],
     ["report"], ["chat"]],
    ids=" ".join,
)  # fmt: skip
def test_looking_makes_no_store(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    message = refusal(capsys, *arguments, "--store", str(tmp_path / "none"))
    assert message.startswith(f"no store in {tmp_path / 'none'}; name one with --store")
    assert not (tmp_path / "none").exists()


def test_store_that_cannot_be_opened_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    told = refusal(capsys, "plan", "--store", str(tmp_path / "file"))
    assert told.endswith("it is a file; --store takes a folder, or a URL such as s3://bucket")
    told = refusal(capsys, "plan", "--store", str(tmp_path / "file" / "below"))
    assert "not a directory (" in told
    assert "Errno" not in told
    assert "cannot open the store" in refusal(capsys, "plan", "--store", "nope://x")


# ---- runs


def test_runs_are_listed_and_shown(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    listed = json.loads(answer(capsys, "runs", "list", "--json"))
    assert [run["id"] for run in listed] == list(two_runs)
    shown = json.loads(answer(capsys, "runs", "show", "--json"))
    assert (shown["id"], shown["executed"], shown["cached"]) == (two_runs[1], 2, 0)
    text = answer(capsys, "runs", "show", two_runs[1])
    assert "count/small" in text
    assert "4 of 5 kept (odd 1)" in text
    assert two_runs[0] in answer(capsys, "runs", "list")


def test_killed_run_is_shown_as_crashed(
    store: Store, two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    record = read_run(store, two_runs[1])
    record.status, record.ended_at = "running", ""
    write_run(store, record)
    statuses = {
        run["id"]: run["status"] for run in json.loads(answer(capsys, "runs", "list", "--json"))
    }
    assert statuses[two_runs[1]] == "crashed"


def test_diff_names_settings_and_steps_that_differ(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(answer(capsys, "runs", "diff", two_runs[0], two_runs[1], "--json"))
    assert found["settings"] == {"upto": [3, 5]}
    assert list(found["steps"]) == ["count/small", "report"]
    counted = found["steps"]["count/small"]
    assert (counted["read"], counted["kept"]) == ([3, 5], [2, 4])
    assert counted["dropped"] == {"odd": [1, 1]}
    same = answer(capsys, "runs", "diff", two_runs[1], two_runs[1])
    assert "equal settings and equal results" in same


def test_diff_says_what_steps_counted_otherwise(
    store: Store, two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The question after a changed threshold: how many more are kept, and which rule let go."""
    record = read_run(store, two_runs[1])
    record.steps[0].counts.dropped = {"short": 2_000, "odd": 3}
    record.steps.append(StepRun(label="new", step="new", recipe="r", digest="d" * 64))
    write_run(store, record)
    text = answer(capsys, "runs", "diff", two_runs[0])
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line}
    assert lines["upto"] == "3 5"
    assert lines["count/small"] == "2 -> 4 short 0 -> 2,000, read 3 -> 5, odd 1 -> 3"
    assert lines["report"] == "nothing; its content is another"
    assert lines["new"] == "- -> 0 only in the second"


def test_unknown_run_is_told(two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run 'x'" in refusal(capsys, "runs", "show", "x")


def test_report_is_a_file_that_browsers_open(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(answer(capsys, "report").strip())
    assert path.name == f"{two_runs[1]}.html"
    assert path.read_text().startswith("<h1>")


# ---- artifacts


def test_artifacts_are_found_by_reference_step_and_recipe(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    listed = json.loads(answer(capsys, "artifacts", "list", "count", "--json"))
    assert [found["label"] for found in listed] == ["count/small", "count/small"]
    newest = listed[-1] if listed[-1]["reference"] else listed[0]
    assert newest["reference"] == "current/numbers"
    by_reference = json.loads(answer(capsys, "artifacts", "show", "current/numbers", "--json"))
    by_recipe = json.loads(answer(capsys, "artifacts", "show", newest["recipe"][:10], "--json"))
    assert by_reference == by_recipe
    text = answer(capsys, "artifacts", "show", "count/small")
    assert "numbers.json" in text
    assert "heldout: negative 1,700, recall 1, roc_auc 0.9758" in text.splitlines()
    assert "current/numbers" in answer(capsys, "artifacts", "list")


def test_unknown_artifact_names_the_nearest(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys, "artifacts", "show", "count/smal").endswith("did you mean count/small?")
    assert "artifacts list" in refusal(capsys, "artifacts", "show", "zzzz")


def test_export_copies_into_a_new_folder_only(
    store: Store, two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    answer(capsys, "artifacts", "export", "current/numbers", str(folder))
    (folder / "numbers.json").write_text("mine to edit")
    assert json.loads(answer(capsys, "artifacts", "verify", "--json"))["broken"] == []
    message = refusal(capsys, "artifacts", "export", "current/numbers", str(folder))
    assert message == f"{folder} is not empty; name a new folder"
    linked = tmp_path / "linked"
    answer(capsys, "artifacts", "export", "current/numbers", str(linked), "--link")
    assert (linked / "numbers.json").stat().st_nlink == 2


def test_verify_exits_1_and_names_who_used_a_broken_file(
    store: Store, two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "all whole" in answer(capsys, "artifacts", "verify")
    manifest = next(m for _, m in store.all_manifests() if m.label == "report")
    path = store.blob_path(manifest.files[0])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[::-1])
    assert main(["artifacts", "verify"]) == 1
    assert "has other bytes; used by report" in capsys.readouterr().out


def test_gc_says_what_would_go(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("artifacts", "gc", "--keep-runs", "0", "--min-age-hours", "0", "--dry-run")
    found = json.loads(answer(capsys, *arguments, "--json"))
    assert found["manifests"] == 3  # the reference keeps one of four
    assert "would remove 3 artifacts" in answer(capsys, *arguments)


def test_chat_without_a_model_says_how_to_get_one(
    two_runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no chat model in" in refusal(capsys, "chat")
    assert "is no chat model" in refusal(capsys, "chat", "count/small")


# ---- a run, whole


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_run_tells_each_step_once_and_keeps_the_noise_in_a_log(
    command_line: CommandLine, shared_server: str
) -> None:
    first = command_line.run("crawl.as_of=cli")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    steps = [line.split()[:2] for line in lines if line.split()[:1] in (["done"], ["cached"])]
    assert sorted(steps) == [
        ["done", "gather/one"],
        ["done", "gather/two"],
        ["done", "join"],
        ["done", "report"],
    ]
    assert "7 of 10 kept (too_short 3)" in first.stdout
    assert first.stderr == ""
    assert "what a" not in first.stdout
    log = sorted((command_line.store / "local" / "logs").glob("*.log"))[-1].read_text()
    assert "what a library prints" in log
    assert "what a library warns of" in log
    assert "what a C library writes" in log
    ending = dict(line.split(maxsplit=1) for line in lines if line.startswith(("report ", "dash")))
    assert Path(ending["report"]).read_text().startswith("<h1>")
    assert ending["dashboard"].startswith("crawl2chat up")

    second = command_line.run("crawl.as_of=cli", api=shared_server)
    assert "0 executed, 4 cached" in second.stdout
    shown = json.loads(command_line("runs", "show", "--json").stdout)
    assert (shown["executed"], shown["cached"], shown["status"]) == (0, 4, "completed")
    rows = json.loads(
        command_line(
            "plan", "refresh-corpus", "--preset", str(command_line.preset),
            "--set", "crawl.as_of=cli", "--json",
        ).stdout
    )  # fmt: skip
    assert {row["state"] for row in rows} == {"cached"}
    assert {"name", "state", "why", "seconds"} <= rows[0].keys()


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_failed_run_names_the_step_the_reason_andhow_to_go_on(
    command_line: CommandLine, shared_server: str
) -> None:
    failed = command_line.run("crawl.as_of=fails")
    assert failed.returncode == 1
    first, *rest = failed.stderr.splitlines()
    assert first == "failed: join: wanted 3 apples, got 2; pick one more"
    assert rest[0].strip().startswith("all output: ")
    assert "once the cause is mended, the same command goes on" in rest[1]
    assert "Traceback" not in failed.stdout + failed.stderr


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_ctrl_c_leaves_an_interrupted_run(command_line: CommandLine, shared_server: str) -> None:
    words = ("run", "refresh-corpus", "--preset", str(command_line.preset))
    with command_line.start(*words, "--set", "crawl.as_of=slow", "--api", shared_server) as process:
        assert process.stdout is not None
        assert any(line.startswith("start  gather/one") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted. The same command goes on" in output
    assert read_run(Store(str(command_line.store))).status == "interrupted"
