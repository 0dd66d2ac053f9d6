"""Files outside the store that a shard reads: its key holds their content, never their place."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from storage.fingerprint import file_digest


class OutsideFile(BaseModel):
    """A file by its content; where it lies travels with it, but is part of no key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    path: str = Field(exclude=True)

    @classmethod
    def at(cls, path: str) -> Self:
        """The file at a path; an unchanged one is read once per process."""
        full = Path(path).expanduser().absolute()
        status = os.stat(full)
        return cls(digest=_digest(str(full), status.st_size, status.st_mtime_ns), path=str(full))


@lru_cache(maxsize=10_000)
def _digest(path: str, _size: int, _modified: int) -> str:
    return file_digest(Path(path))
