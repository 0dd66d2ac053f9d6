"""What one step produced: the manifest, its files and counts, and the small handle to it."""

from typing import Any

import xxhash
from pydantic import BaseModel, ConfigDict, Field

from storage.fingerprint import fingerprint

MOST_EXAMPLES, MOST_CHARACTERS = 3, 500  # per reason; of one address


class FileEntry(BaseModel):
    """One file of an artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    blob: str = Field(description="sha256 of the bytes; the blob's name in the store")
    digest: str = Field(description="hash of the content; for a table that of its logical rows")
    bytes: int = Field(ge=0)
    rows: int = Field(default=0, ge=0)


class Counts(BaseModel):
    """The funnel of one step: records in, records out, and why the others were dropped."""

    model_config = ConfigDict(extra="forbid")

    read: int = 0
    kept: int = 0
    edited: int = 0
    dropped: dict[str, int] = Field(default_factory=dict)
    examples: dict[str, list[str]] = Field(
        default_factory=dict, description="where some of the dropped records are from, by reason"
    )
    extra: dict[str, Any] = Field(default_factory=dict, description="the stage's own figures")

    def drop(self, reason: str, number: int = 1, *, example: str = "") -> None:
        """Counts `number` records dropped for `reason`; `example` is the address of one."""
        if number:
            self.dropped[reason] = self.dropped.get(reason, 0) + number
        if example:
            self._note_examples(reason, [_storable(example)])

    def _note_examples(self, reason: str, found: list[str]) -> None:
        """Keeps those with the smallest hashes: a fair draw, in whatever order they come."""
        every = {*self.examples.get(reason, []), *found}
        self.examples[reason] = sorted(every, key=_hash)[:MOST_EXAMPLES]

    def merge(self, other: "Counts") -> None:
        """Adds the counts of one shard; numbers in `extra` add up, other values are replaced."""
        self.read += other.read
        self.kept += other.kept
        self.edited += other.edited
        for reason, number in sorted(other.dropped.items()):
            self.drop(reason, number)
        for reason, found in sorted(other.examples.items()):
            self._note_examples(reason, found)
        _merge_extra(self.extra, other.extra)

    def __str__(self) -> str:
        """The funnel in one line: `read 10, kept 7, dropped 3 (short 2, empty 1)`."""
        text = f"read {self.read:,}, kept {self.kept:,}"
        if self.dropped:
            reasons = sorted(self.dropped.items(), key=lambda item: (-item[1], item[0]))
            listed = ", ".join(f"{reason} {number:,}" for reason, number in reasons)
            text += f", dropped {sum(self.dropped.values()):,} ({listed})"
        return text


def _hash(address: str) -> int:
    return xxhash.xxh3_64_intdigest(address.encode())


def _storable(address: str) -> str:
    """An address as JSON can hold it; a crawled one may have halves of characters, or no end."""
    return address[:MOST_CHARACTERS].encode("utf-8", "replace").decode()


def _merge_extra(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        present = into.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            _merge_extra(present, value)
        elif isinstance(value, int | float) and isinstance(present, int | float):
            into[key] = present + value
        else:
            into[key] = value


class ArtifactRef(BaseModel):
    """The handle that steps pass to each other; data never travels through Prefect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    recipe: str
    digest: str
    rows: int = 0
    bytes: int = 0


class Manifest(BaseModel):
    """The record of one built artifact; written last, so its presence means all is there."""

    model_config = ConfigDict(extra="forbid")

    step: str
    version: str
    label: str = Field(description="the step and its run name, such as `extract/docs`")
    recipe: str
    digest: str
    ingredients: dict[str, Any]
    files: list[FileEntry]
    counts: Counts
    seconds: float = Field(ge=0, description="wall time of the build that wrote this manifest")
    libraries: dict[str, str]
    created_at: str = Field(description="ISO 8601, UTC; the only timestamp of an artifact")

    @property
    def ref(self) -> ArtifactRef:
        """The handle to this artifact."""
        return ArtifactRef(
            step=self.step,
            recipe=self.recipe,
            digest=self.digest,
            rows=sum(entry.rows for entry in self.files),
            bytes=sum(entry.bytes for entry in self.files),
        )


def content_digest(files: list[FileEntry]) -> str:
    """The digest of an artifact: of its files' names and contents, whatever their encoding."""
    return fingerprint([[entry.name, entry.digest] for entry in files])
