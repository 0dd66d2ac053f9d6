"""Numbers and outcomes in the few words that a line has room for."""

from typing import Any

from storage.runs import StepRun


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> [duration(value) for value in (0.04, 12.34, 125, 3725)]
    ['0.0 s', '12.3 s', '2 min 05 s', '1 h 02 min']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {int(seconds) % 60:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def outcome(step: StepRun) -> str:
    """What became of a step, in a few words: `712 of 735 kept (too_short 20, empty 3)`."""
    if step.status == "failed":
        return f"failed: {reason(step)}"
    if step.status == "cached":
        return "cached"
    counts = step.counts
    if not counts.read:
        return ""
    more_said = f", {counts.edited:,} edited" if counts.edited else ""
    if changes := counts.extra.get("changes"):  # of a site, since it was captured before
        more_said += f"; {changes}"
    if not counts.dropped:
        return f"{counts.kept:,} kept{more_said}" if counts.kept else f"{counts.read:,} read"
    reasons = sorted(counts.dropped.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{reason} {number:,}" for reason, number in reasons[:3])
    more = ", …" if len(reasons) > 3 else ""
    return f"{counts.kept:,} of {counts.read:,} kept ({listed}{more}){more_said}"


def reason(step: StepRun) -> str:
    """Why a step failed, in one line; the label that its message begins with is told beside it."""
    line = first_line(step.error)
    for name in (step.label, step.step):
        for mark in (": ", ", ", " "):
            if line.startswith(name + mark):
                return line.removeprefix(name + mark)
    return line


def first_line(text: str) -> str:
    """The first line of an error message."""
    return text.strip().splitlines()[0] if text.strip() else "no message"


def amount(done: int, total: int, unit: str, figures: dict[str, Any]) -> str:
    """How far a step is: `340/735 pages, loss 3.2`."""
    far = f"{done:,}/{total:,} {unit}" if total else f"{done:,} {unit}" if done else ""
    shown = [
        f"{_number(value)} {name}" if "/" in name else f"{name} {_number(value)}"
        for name, value in figures.items()
    ]
    return ", ".join(filter(None, [far.strip(), *shown]))


def figures(extra: dict[str, Any], most: int = 20) -> list[tuple[str, str]]:
    """A step's own figures by name: those that are not zero; of long tables how many.

    >>> figures({"heldout": {"roc_auc": 0.97579, "recall": 1.0}, "clusters": 1800, "broken": 0})
    [('heldout', 'roc_auc 0.9758, recall 1'), ('clusters', '1,800')]
    """
    found = []
    for name, value in extra.items():
        leaves = [leaf for leaf in _leaves("", value) if leaf[1]]
        told = ", ".join(f"{key} {_number(number)}".strip() for key, number in leaves)
        if leaves:
            found.append((name, told if len(leaves) <= most else f"{len(leaves)}, with --json"))
    return found


def _leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [
            leaf for key, item in value.items() for leaf in _leaves(f"{name} {key}".strip(), item)
        ]
    return [] if isinstance(value, list) else [(name, value)]


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
