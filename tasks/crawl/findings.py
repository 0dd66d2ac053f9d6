"""What the spider tells of a crawl beside its WARC files: the outcome of each URL, rules of sites.

One JSON object per line. A spider that goes on from a killed one meets every kept answer again, so
each process writes the whole file anew.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from tasks.crawl.ledger import Outcome
from tasks.crawl.opt_outs import TdmRule

FINDINGS_NAME = "findings.jsonl"


@dataclass
class Findings:
    """All that a finished crawl found."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    reserved: set[str] = field(default_factory=set)  # URLs whose header or meta tag reserves them
    free: set[str] = field(default_factory=set)  # URLs whose header or meta tag says the contrary
    rules: dict[str, list[TdmRule]] = field(default_factory=dict)  # of hosts that answered
    num_links_left: int = 0  # that were not followed, because they are too many


class FindingsFile:
    """Where the spider writes."""

    def __init__(self, folder: Path) -> None:
        """Begins an empty file; whole lines stay of it when the process is ended."""
        self.file: IO[str] = (folder / FINDINGS_NAME).open("w", encoding="utf-8", buffering=1)

    def page(self, outcome: Outcome, reserved: bool | None = None) -> None:
        """The outcome of a URL, and what its page says of text and data mining."""
        self._write({"page": asdict(outcome), "reserved": reserved})

    def links_left(self, number: int) -> None:
        """Links of a page that are not followed."""
        self._write({"links_left": number})

    def rules(self, host: str, rules: list[TdmRule]) -> None:
        """A site's reservations of text and data mining; none where it has no file of them."""
        self._write({"host": host, "rules": [[rule.location, rule.reserved] for rule in rules]})

    def _write(self, value: dict[str, object]) -> None:
        self.file.write(json.dumps(value) + "\n")

    def close(self) -> None:
        """Nothing more is told."""
        self.file.close()


def load_findings(folder: Path) -> Findings:
    """What a finished crawl found; the first outcome of a URL counts."""
    found = Findings()
    with (folder / FINDINGS_NAME).open(encoding="utf-8") as file:
        for line in file:
            value = json.loads(line)
            if "host" in value:
                found.rules[value["host"]] = [TdmRule(*rule) for rule in value["rules"]]
                continue
            if "links_left" in value:
                found.num_links_left += value["links_left"]
                continue
            outcome = Outcome(**value["page"])
            found.outcomes.setdefault(outcome.url, outcome)
            if value["reserved"] is not None:
                (found.reserved if value["reserved"] else found.free).add(outcome.url)
    return found
