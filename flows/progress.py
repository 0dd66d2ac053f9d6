"""A run in the terminal: one line per step, whatever the libraries print.

A terminal shows a bar for each step at work and a finished line above it for each step that ended.
A file or a pipe gets plain lines: one when a step starts, one every ten seconds, one at its end.
Everything else that is written meanwhile goes to a log file (`output.py`).
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from flows.words import amount, duration, outcome
from storage.runs import RunRecord, StepRun
from storage.session import Reporter

LABEL_WIDTH = 28
QUIET_SECONDS = 10.0  # between two lines of one step, in plain output
ANNOUNCE_SECONDS = 1.0  # a step that ends sooner, such as a cached one, has no line of its start


class RunReporter(Reporter, Protocol):
    """A reporter that also hears of the run as a whole."""

    def run_started(self, record: RunRecord) -> None:
        """The run has a record in the store; it changes while the run goes on."""


# ---- a terminal


class _Amount(ProgressColumn):
    """Counts and figures, shortened before the bar has to be."""

    def render(self, task: Task) -> Text:
        """The text of one step."""
        return Text(str(task.fields["amount"]), style="dim", no_wrap=True, overflow="ellipsis")


class _Elapsed(ProgressColumn):
    """How long a step works already, and how long it may still."""

    def render(self, task: Task) -> Text:
        """The text of one step."""
        text = duration(task.elapsed or 0.0)
        if task.time_remaining is not None and task.time_remaining >= 1:
            text += f", {duration(task.time_remaining)} left"
        return Text(text, style="cyan", justify="right", no_wrap=True)


class LiveReporter:
    """Bars for the steps at work, below the lines of those that ended."""

    def __init__(self, console: Console) -> None:
        """Shows nothing before the first step."""
        self.record: RunRecord | None = None
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn(f"{{task.description:<{LABEL_WIDTH}}}"),
            BarColumn(bar_width=20),
            _Amount(),
            _Elapsed(),
            console=console,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,  # what steps print goes to the log file
            redirect_stderr=False,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "LiveReporter":
        """Starts to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops to draw."""
        self.close()

    def close(self) -> None:
        """Removes the bars and gives the cursor back; the lines stay."""
        self._progress.stop()

    def run_started(self, record: RunRecord) -> None:
        """Keeps the record for the last lines."""
        self.record = record

    def step_started(self, label: str) -> None:
        """Adds a bar."""
        self._tasks[label] = self._progress.add_task(label, total=None, amount="")

    def step_progress(
        self, label: str, done: int, total: int, unit: str, figures: dict[str, Any]
    ) -> None:
        """Moves the bar."""
        self._progress.update(
            self._tasks[label],
            completed=done,
            total=total or None,
            amount=amount(done, total, unit, figures),
        )

    def step_finished(self, step: StepRun) -> None:
        """Replaces the bar by a line."""
        self._progress.remove_task(self._tasks.pop(step.label))
        self._progress.console.print(_line(step))

    def log(self, label: str, message: str) -> None:
        """Is for the dashboard and the log file."""


def _line(step: StepRun) -> Text:
    symbol, style = {"cached": ("=", "blue"), "failed": ("✗", "red")}.get(
        step.status, ("✓", "green")
    )
    line = Text.assemble((f"{symbol} ", style), f"{step.label:<{LABEL_WIDTH}} ")
    line.append(outcome(step), style={"cached": "blue", "failed": "red"}.get(step.status, "dim"))
    if step.status == "executed":
        line.append(f"  {duration(step.seconds)}", style="cyan")
    return line


# ---- a file or a pipe


@dataclass
class _AtWork:
    started_at: float = field(default_factory=time.monotonic)
    told_at: float = 0.0
    is_announced: bool = False
    amount: str = ""


class LineReporter:
    """Plain lines, few enough for a build log."""

    def __init__(self, console: Console) -> None:
        """Writes to `console`."""
        self.record: RunRecord | None = None
        self._console = console
        self._steps: dict[str, _AtWork] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "LineReporter":
        """Starts to tell."""
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops telling."""
        self.close()
        self._ticker.join()

    def close(self) -> None:
        """No further line of a step at work."""
        self._ended.set()

    def run_started(self, record: RunRecord) -> None:
        """Keeps the record for the last lines."""
        self.record = record

    def step_started(self, label: str) -> None:
        """Remembers the step; a line follows if it takes a second."""
        with self._lock:
            self._steps[label] = _AtWork()

    def step_progress(
        self, label: str, done: int, total: int, unit: str, figures: dict[str, Any]
    ) -> None:
        """Remembers how far the step is, for its next line."""
        with self._lock:
            self._steps[label].amount = amount(done, total, unit, figures)

    def step_finished(self, step: StepRun) -> None:
        """Writes the step's last line."""
        with self._lock:
            self._steps.pop(step.label, None)
            word = {"cached": "cached", "failed": "failed"}.get(step.status, "done")
            text = "" if word == "cached" else outcome(step).removeprefix("failed: ")
            seconds = f"({duration(step.seconds)})" if step.status == "executed" else ""
            self._write(word, step.label, text, seconds)

    def log(self, label: str, message: str) -> None:
        """Is for the dashboard and the log file."""

    def _tick(self) -> None:
        while not self._ended.wait(0.2):
            self.tell(time.monotonic())

    def tell(self, now: float) -> None:
        """Writes the lines that are due at `now`."""
        with self._lock:
            for label, step in self._steps.items():
                age = now - step.started_at
                if not step.is_announced and age >= ANNOUNCE_SECONDS:
                    step.is_announced, step.told_at = True, now
                    self._write("start", label)
                elif step.is_announced and now - step.told_at >= QUIET_SECONDS:
                    step.told_at = now
                    self._write("...", label, step.amount, f"({duration(age)})")

    def _write(self, word: str, label: str, *rest: str) -> None:
        line = "  ".join(filter(None, [f"{word:<6} {label:<{LABEL_WIDTH}}", *rest]))
        self._console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)


TerminalReporter = LiveReporter | LineReporter


def terminal_reporter(console: Console) -> TerminalReporter:
    """Bars for a person, lines for a file."""
    return LiveReporter(console) if console.is_terminal else LineReporter(console)
