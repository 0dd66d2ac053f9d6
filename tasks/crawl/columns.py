"""Which columns a table or a JSON row has, and those that the configuration wants."""

from collections.abc import Mapping
from typing import Any

from pipeline_config.sources import Columns

Row = Mapping[str, Any]
MAX_LISTED = 12


class ColumnError(ValueError):
    """The configuration names a column that the data does not have."""


def value_of(row: Row, column: str) -> Any:
    """A column's value; dots lead into nested objects, unless the name itself has them.

    >>> value_of({"meta": {"url": "http://x"}}, "meta.url"), value_of({"a.b": 1}, "a.b")
    ('http://x', 1)
    """
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def has_column(row: Row, column: str) -> bool:
    """Whether a row has a column, even an empty one."""
    parent, _, name = column.rpartition(".")
    inside = value_of(row, parent) if parent else row
    return column in row or (isinstance(inside, Mapping) and name in inside)


def mapped_columns(columns: Columns) -> dict[str, str]:
    """The configured columns by the setting that names them."""
    named = {
        key: getattr(columns, key) for key in ("text", "url", "language", "licence", "first_seen")
    }
    named |= {f"metadata.{key}": column for key, column in columns.metadata.items()}
    return {key: column for key, column in named.items() if column}


def lacking(rows: list[Row], columns: Columns) -> dict[str, str]:
    """The configured columns that none of the rows has; none of them when there are no rows."""
    return {
        setting: column
        for setting, column in mapped_columns(columns).items()
        if rows and not any(has_column(row, column) for row in rows)
    }


def absent_columns(names: list[str], columns: Columns) -> dict[str, str]:
    """The configured columns that are not among the names of a table's."""
    wanted = mapped_columns(columns)
    return {key: column for key, column in wanted.items() if top_column(column, names) not in names}


def top_column(column: str, names: list[str]) -> str:
    """The column of a table that holds a dotted one."""
    return column if column in names else column.partition(".")[0]


def missing(where: str, setting: str, column: str, names: list[str]) -> ColumnError:
    """The error for a column that is not there."""
    listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    has, it_has = ("have", "they have") if where.endswith(" more") else ("has", "it has")
    return ColumnError(
        f"{where} {has} no column {column!r} (columns.{setting}); {it_has} {listed or 'none'}"
    )
