"""What all commands share: their common options, errors in one line, tables and JSON."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from storage.store import Store

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

StoreOption = Annotated[
    str,
    Parameter(
        name="--store",
        env_var="CRAWL2CHAT_STORE",
        help="Where artifacts and runs are kept: a directory or an fsspec URL such as s3://bucket.",
    ),
]
ApiOption = Annotated[
    str,
    Parameter(
        name="--api",
        env_var="CRAWL2CHAT_API_URL",
        help="API of a Prefect server that runs elsewhere; by default the store has its own.",
    ),
]
JsonOption = Annotated[
    bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")
]
DEFAULT_STORE = "./crawl2chat-store"
FILE_COLUMNS = 160


class UserError(Exception):
    """The user asked for something that cannot be; the message is the one line to show."""


class RunError(Exception):
    """A run failed; its message is complete, with how to go on."""


def stdout() -> Console:
    """The console of results; made late, since tests replace the stream. Files have long lines."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    return console


def open_store(url: str) -> "Store":
    """The store at `url`.

    Raises:
        UserError: when it cannot be opened.
    """
    from storage.store import Store

    try:
        return Store(url)
    except OSError as error:
        why = f"{error.strerror or error} ({error.filename or url})"
        if os.path.isfile(url):
            why = "it is a file; --store takes a folder, or a URL such as s3://bucket"
        raise UserError(f"cannot open the store {url}: {why[:1].lower()}{why[1:]}") from None
    except (ValueError, ImportError) as error:
        raise UserError(f"cannot open the store {url}: {error}; check --store") from None


def existing_store(url: str) -> "Store":
    """The store at `url` for commands that only look; a new directory is not made by looking."""
    if "://" not in url and not os.path.isfile(os.path.join(url, "format.json")):
        raise UserError(
            f"no store in {url}; name one with --store, or make one with `crawl2chat run`"
        )
    return open_store(url)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table; columns that begin with `>` are aligned to the right."""
    console = stdout()
    gap = 2 if console.width >= 100 else 1
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(
            column.removeprefix(">"),
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
            no_wrap=index == 0,
        )
    for row in rows:
        table.add_row(*[str(cell).replace("[", "\\[") for cell in row])
    console.print(table)


def size(number: int) -> str:
    """Bytes for people.

    >>> [size(number) for number in (0, 999, 1_500, 2_000_000)]
    ['0 B', '999 B', '1.5 kB', '2.0 MB']
    """
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"
