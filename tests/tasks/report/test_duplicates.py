import pyarrow as pa

from tasks.report.duplicates import describe, size_label


def rows(kept: str, similarities: list[float], sources: str = "d") -> list[dict[str, object]]:
    """A kept document and those that were dropped for it."""
    return [
        {
            "id": f"{kept}{index:03}" if index else kept,
            "source": sources[index % len(sources)],
            "url": f"http://x/{kept}{index}",
            "kept": index == 0,
            "duplicate_of": kept if index else "",
            "similarity": similarity,
        }
        for index, similarity in enumerate([0.0, *similarities])
    ]


def test_describe_counts_groups_by_size_and_shows_the_largest() -> None:
    table = pa.Table.from_pylist(
        rows("a", [0.9])
        + rows("b", [0.8, 0.99, 0.85, 0.81], "de")
        + rows("c", [0.7, 0.8])
        + rows("l", [])  # look-alikes of the others
        + rows("m", [])
    )

    found = describe(table, most_groups=2, most_members=3)

    assert (found.groups, found.dropped, found.across_sources) == (3, 7, 1)
    assert found.sizes == (("2", 1), ("3", 1), ("4\N{EN DASH}7", 1))
    assert [group.size for group in found.largest] == [5, 3]
    # the kept one, then the most and the least similar
    assert [round(member.similarity, 2) for member in found.largest[0].members] == [0, 0.99, 0.8]
    assert [member.id for member in found.largest[0].members] == ["b", "b002", "b001"]
    assert [member.kept for member in found.largest[0].members] == [True, False, False]


def test_describe_no_groups() -> None:
    table = pa.Table.from_pylist(rows("a", [0.9])).slice(0, 0)
    found = describe(table, 5, 5)
    assert (found.groups, found.dropped, found.largest) == (0, 0, ())


def test_size_labels_double() -> None:
    labels = [size_label(n).replace("\N{EN DASH}", " to ") for n in (2, 3, 4, 7, 8, 15, 16)]
    assert labels == ["2", "3", "4 to 7", "4 to 7", "8 to 15", "8 to 15", "16 to 31"]
