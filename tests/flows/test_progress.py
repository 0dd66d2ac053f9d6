"""One line per step, in a terminal and in a file."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT
from rich.console import Console

from flows.output import new_log
from flows.progress import LineReporter, LiveReporter, terminal_reporter
from flows.words import amount, duration, figures, outcome
from storage.artifact import Counts
from storage.runs import StepRun


def step(label: str, status: str = "executed", **more: object) -> StepRun:
    value = {"label": label, "step": label, "recipe": "r", "status": status, "seconds": 12.34}
    return StepRun.model_validate(value | more)


COUNTS = Counts(read=735, kept=712, dropped={"empty": 3, "too_short": 20})


def lines_of(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (12.34, "12.3 s"), (125, "2 min 05 s"), (3725, "1 h 02 min")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_outcome_says_what_was_dropped_and_why() -> None:
    assert outcome(step("a", counts=COUNTS)) == "712 of 735 kept (too_short 20, empty 3)"
    assert outcome(step("a", counts=Counts(read=9, kept=9))) == "9 kept"
    assert outcome(step("a", counts=Counts(read=9, kept=9, edited=2))) == "9 kept, 2 edited"
    changed = Counts(read=9, kept=9, extra={"changes": "1 new, 8 unchanged"})
    assert outcome(step("a", counts=changed)) == "9 kept; 1 new, 8 unchanged"
    assert outcome(step("a", counts=Counts(read=9))) == "9 read"
    assert outcome(step("a")) == ""
    assert outcome(step("a", "cached", counts=COUNTS)) == "cached"
    assert outcome(step("a", "failed", error="no room\nTraceback")) == "failed: no room"
    for error in ("a/b: no room", "a/b has no room", "a, shard 00: no room"):
        told = outcome(StepRun(label="a/b", step="a", recipe="r", status="failed", error=error))
        assert told.endswith("no room")
        assert "a/b" not in told
    many = Counts(read=10, kept=0, dropped={"a": 1, "b": 2, "c": 3, "d": 4})
    assert outcome(step("a", counts=many)) == "0 of 10 kept (d 4, c 3, b 2, …)"


def test_amount_puts_a_rate_before_its_unit_and_a_figure_behind_its_name() -> None:
    assert amount(340, 735, "pages", {"pages/s": 26}) == "340/735 pages, 26 pages/s"
    assert amount(1200, 0, "steps", {"loss": 3.14159}) == "1,200 steps, loss 3.142"
    assert amount(0, 0, "", {}) == ""


def test_file_gets_a_line_at_start_every_ten_seconds_and_at_the_end() -> None:
    console = Console(file=io.StringIO(), width=40)
    reporter = LineReporter(console)
    reporter.step_started("train")
    (started_at,) = [work.started_at for work in reporter._steps.values()]
    for second in range(0, 25):
        reporter.step_progress("train", second, 40, "steps", {"loss": 2.5})
        reporter.tell(started_at + second)
    reporter.step_finished(step("train", counts=COUNTS))
    assert lines_of(console) == [
        "start  train",
        "...    train                         11/40 steps, loss 2.5  (11.0 s)",
        "...    train                         21/40 steps, loss 2.5  (21.0 s)",
        "done   train                         712 of 735 kept (too_short 20, empty 3)  (12.3 s)",
    ]


def test_figures_leave_out_what_is_zero_or_long() -> None:
    extra = {
        "failing": {"short": 3, "long": 0},
        "sources": {"a": {"documents": 2, "bytes": 5_000}},
        "largest": [1, 2],
        "none": {"x": 0},
        "items": {str(number): 1 for number in range(30)},
    }
    assert figures(extra, most=2) == [
        ("failing", "short 3"),
        ("sources", "a documents 2, a bytes 5,000"),
        ("items", "30, with --json"),
    ]


def test_file_gets_one_line_of_a_cached_and_of_a_failed_step() -> None:
    console = Console(file=io.StringIO(), width=40)
    with LineReporter(console) as reporter:
        for label, status in (("a", "cached"), ("b", "failed")):
            reporter.step_started(label)
            reporter.step_finished(step(label, status, error="[no] room"))
    assert lines_of(console) == ["cached a", "failed b                             [no] room"]


def test_terminal_gets_a_line_for_each_step_that_ended() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with LiveReporter(console) as reporter:
        for label, status in (("a", "cached"), ("b", "executed"), ("c", "failed")):
            reporter.step_started(label)
            reporter.step_progress(label, 1, 2, "pages", {})
            reporter.step_finished(step(label, status, counts=COUNTS, error="no [room]"))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"= a{' ' * 28}cached" in text
    assert f"✓ b{' ' * 28}712 of 735 kept (too_short 20, empty 3)  12.3 s" in text
    assert f"✗ c{' ' * 28}failed: no [room]" in text
    assert text.rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_reporter_fits_the_console() -> None:
    assert isinstance(terminal_reporter(Console(file=io.StringIO())), LineReporter)
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(terminal_reporter(terminal), LiveReporter)


def test_everything_else_goes_to_the_log_and_back(tmp_path: Path) -> None:
    code = (
        "import os, sys, subprocess\n"
        "from pathlib import Path\n"
        "from flows.output import output_to\n"
        "print('before')\n"
        "with output_to(Path(sys.argv[1])) as real:\n"
        "    print('python'); os.write(1, b'C\\n'); print('warning', file=sys.stderr)\n"
        "    subprocess.run(['echo', 'child'], check=True)\n"
        "    print('told', file=real, flush=True)\n"
        "print('after')\n"
    )
    log = tmp_path / "logs" / "a.log"
    done = subprocess.run(
        [sys.executable, "-c", code, str(log)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == ["before", "told", "after"]
    assert done.stderr == ""
    assert sorted(log.read_text().split()) == ["C", "child", "python", "warning"]


def test_only_the_last_logs_are_kept(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number:02d}.log").touch()
    assert new_log(tmp_path, "align").name.endswith("-align.log")
    assert min(path.name for path in tmp_path.iterdir()) == "11.log"
