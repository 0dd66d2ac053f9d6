"""Says about a crawl what its funnel does not: what changed, what is damaged, what stayed away."""

from typing import Any

from tasks.report.figures import count, things
from tasks.report.funnel import by_number

LISTED_FILES = 5  # damaged ones that are named


def capture_facts(extra: dict[str, Any]) -> tuple[str, ...]:
    """Sentences about one capture, from what its step left beside its counts."""
    return (*_pages(extra), *_damage(extra))


def _pages(extra: dict[str, Any]) -> list[str]:
    found = []
    if pages := by_number(extra.get("pages", {})):
        found.append("pages: " + ", ".join(f"{count(number)} {how}" for how, number in pages))
    if missed := by_number(extra.get("not_reached", {})):
        why = ", ".join(f"{reason} {count(number)}" for reason, number in missed)
        found.append(f"not reached, so as they were before: {why}")
    if (ended := extra.get("ended", "finished")) != "finished":
        found.append(f"ended early: {ended}")
    return found


def _damage(extra: dict[str, Any]) -> list[str]:
    damaged = sorted(extra.get("damaged", {}).items())
    wrong = sorted(extra.get("wrong_digests", {}).items())
    found = [f"{path} is damaged: {how}" for path, how in damaged]
    found += [
        f"{things(number, 'record')} of {path} lack the digest that they name"
        for path, number in wrong
    ]
    if len(found) > LISTED_FILES:
        rest = len(found) - LISTED_FILES
        found[LISTED_FILES:] = [f"and {rest} more such files"]
    return found
