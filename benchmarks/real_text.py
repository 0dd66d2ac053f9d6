"""Real text that every machine has: what the benchmarks run on, before edits are planted.

The documentation of this machine's packages (/usr/share/doc) and Python's own sources, one text per
file, in an order that depends on the files' names alone. More documentation packages give more.
"""

import gzip
import sysconfig
from collections.abc import Iterator
from pathlib import Path

MIN_CHARACTERS = 200


def read_texts(*, packages: bool = False) -> Iterator[str]:
    """The texts of all files that hold one, whole; the installed packages' sources if wanted."""
    for path in files(packages):
        try:
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        except (OSError, EOFError, ValueError):
            continue
        if len(text) >= MIN_CHARACTERS and "\0" not in text:
            yield text


def files(packages: bool) -> Iterator[Path]:
    """Every file that may hold a text."""
    stdlib, site = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))
    yield from sorted(path for path in Path("/usr/share/doc").rglob("*") if path.is_file())
    sources = (path for path in stdlib.rglob("*.py") if "site-packages" not in path.parts)
    yield from sorted(path for path in sources if path.is_file())
    if packages:
        yield from sorted(path for path in site.rglob("*.py") if path.is_file())
