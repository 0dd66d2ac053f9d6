"""What lies under a dotted key of a pydantic model: through mappings, lists and tagged unions."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def is_model(annotation: Any) -> Any:
    """Whether a type is a model, with fields of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def plain(annotation: Any) -> Any:
    """The annotation without `Annotated` and `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        left = [plain(member) for member in get_args(annotation) if member is not NoneType]
        return left[0] if len(left) == 1 else Union[tuple(left)]  # noqa: UP007
    return annotation


def members(annotation: Any) -> list[Any]:
    """The types that a value may have; one, unless it is a union."""
    annotation = plain(annotation)
    is_union = get_origin(annotation) in (Union, UnionType)
    return [plain(member) for member in get_args(annotation)] if is_union else [annotation]


def _step(annotation: Any, name: str) -> list[Any]:
    """What may lie under the key `name` of a value of this type."""
    found: list[Any] = []
    for member in members(annotation):
        if is_model(member):
            field: FieldInfo | None = member.model_fields.get(name)
            found += members(field.annotation) if field is not None else []
        elif get_origin(member) in (dict, Mapping):
            found += members(get_args(member)[1])
        elif get_origin(member) in (list, tuple) and name.isdigit():
            found += members(get_args(member)[0])
    return found


def type_at(model: type[BaseModel], path: tuple[str, ...]) -> Any:
    """The type under a path of keys; of several possible ones a union."""
    found: list[Any] = [model]
    for name in path:
        found = [below for annotation in found for below in _step(annotation, name)]
    return found[0] if len(found) == 1 else Union[tuple(found)] if found else None  # noqa: UP007


def keys_of(annotation: Any) -> list[str]:
    """The keys that a value of this type may have."""
    keys: list[str] = []
    for member in members(annotation):
        if is_model(member):
            keys += [name for name in member.model_fields if name not in keys]
    return sorted(keys)


def key_of(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """Pydantic's place of an error as the user writes it: without the names of union members."""
    key: tuple[str, ...] = ()
    for part in loc:
        below = type_at(model, key)
        tags = {tag for member in members(below) for tag in _tags(member)}
        if len(members(below)) > 1 and part in tags:
            continue
        key = (*key, str(part))
    return key


def _tags(member: Any) -> list[str]:
    """The names that pydantic gives a union member in the place of an error."""
    if not is_model(member):
        return [getattr(member, "__name__", str(member))]
    literals = [
        str(choice)
        for field in member.model_fields.values()
        if get_origin(field.annotation) is Literal
        for choice in get_args(field.annotation)
    ]
    return [member.__name__, *literals]
