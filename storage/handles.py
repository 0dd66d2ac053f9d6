"""Handles inside a step's arguments: as content for its key, resolved for its work."""

from typing import Any

from pydantic import BaseModel

from storage.artifact import ArtifactRef
from storage.session import Handle, Planned


class Done:
    """A future of something that is there already."""

    def __init__(self, ref: ArtifactRef) -> None:
        """The handle that `result` gives."""
        self._ref = ref

    def result(self) -> ArtifactRef:
        """The handle."""
        return self._ref


def by_digest(value: Any, unknown: list[str]) -> Any:
    """`value` with handles replaced by their contents' digests."""
    if isinstance(value, ArtifactRef):
        return {"artifact": value.digest}
    if isinstance(value, Planned):
        if not value.digest:
            unknown.append(value.label)
        return {"artifact": value.digest}
    if isinstance(value, dict):
        return {key: by_digest(item, unknown) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [by_digest(item, unknown) for item in value]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value


def resolve(value: Any) -> Any:
    """`value` with futures replaced by their handles."""
    if isinstance(value, Done):
        return value.result()
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item) for item in value]
    return value


def handles_in(value: Any) -> list[Handle]:
    """All handles in `value`, in order."""
    if isinstance(value, ArtifactRef | Planned):
        return [value]
    if isinstance(value, dict):
        return [handle for item in value.values() for handle in handles_in(item)]
    if isinstance(value, list | tuple):
        return [handle for item in value for handle in handles_in(item)]
    return []
