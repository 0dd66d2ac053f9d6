"""Says about a crawl what its funnel does not: what changed, what is damaged, what stayed away."""

from typing import Any

from tasks.report.figures import count, things
from tasks.report.funnel import by_number

CHANGES = frozenset({"new", "changed", "unchanged", "carried"})
LISTED_FILES = 5  # damaged ones that are named


def asked_for(ingredients: dict[str, Any]) -> str:
    """What a capture counts: links of a site, pages that an index lists, or whole files."""
    capture = ingredients["in"].get("capture", {})
    if capture.get("kind") != "common_crawl":
        return "link"
    return "listed page" if capture["select"] else "file"


def capture_facts(extra: dict[str, Any]) -> tuple[str, ...]:
    """Sentences about one capture, from what its step left beside its counts."""
    return (*_pages(extra), *_damage(extra))


def _pages(extra: dict[str, Any]) -> list[str]:
    found = []
    if pages := by_number(extra.get("pages", {})):
        since = "since the capture before: " if "before" in extra else "pages: "
        found.append(since + ", ".join(_how_many(how, number) for how, number in pages))
    if missed := by_number(extra.get("not_reached", {})):
        why = ", ".join(f"{reason} {count(number)}" for reason, number in missed)
        found.append(f"not reached, so as they were before: {why}")
    if (ended := extra.get("ended", "finished")) != "finished":
        found.append(f"ended early: {ended}")
    return found


def _how_many(how: str, number: int) -> str:
    """`3 changed`; where the pages of an index were chosen, `CC-MAIN-2024-10 a.demo 3`."""
    if how == "missing":
        return f"{count(number)} missing (kept for now; gone when missing twice)"
    return f"{count(number)} {how}" if how in CHANGES else f"{how} {count(number)}"


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
