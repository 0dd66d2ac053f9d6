import pyarrow as pa

from tasks.report.clusters import describe, size_label


def rows(
    cluster: str, kept: int, dropped: list[float], sources: str = "d"
) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for index, similarity in enumerate([0.0] * kept + dropped):
        made.append(
            {
                "cluster": cluster,
                "id": f"{cluster}{index:03}",
                "source": sources[index % len(sources)],
                "url": f"http://x/{cluster}{index}",
                "kept": index < kept,
                "duplicate_of": "",
                "similarity": similarity,
            }
        )
    return made


def test_describe_counts_clusters_by_size_and_shows_the_largest() -> None:
    table = pa.Table.from_pylist(
        rows("a", 1, [0.9])
        + rows("b", 1, [0.8, 0.99, 0.85, 0.81], "de")
        + rows("c", 1, [0.7, 0.8])
        + rows("l", 9, [])  # look-alikes, all kept
    )

    found = describe(table, most_clusters=2, most_members=3)

    assert (found.clusters, found.documents, found.kept, found.across_sources) == (3, 10, 3, 1)
    assert found.sizes == (("2", 1), ("3", 1), ("4\N{EN DASH}7", 1))
    assert [(cluster.id, cluster.size) for cluster in found.largest] == [("b", 5), ("c", 3)]
    # the kept one, then the most and the least similar
    assert [round(member.similarity, 2) for member in found.largest[0].members] == [0, 0.99, 0.8]
    assert [member.kept for member in found.largest[0].members] == [True, False, False]


def test_describe_no_clusters() -> None:
    table = pa.Table.from_pylist(rows("a", 1, [0.9])).slice(0, 0)
    found = describe(table, 5, 5)
    assert (found.clusters, found.documents, found.kept, found.largest) == (0, 0, 0, ())


def test_size_labels_double() -> None:
    labels = [size_label(n).replace("\N{EN DASH}", " to ") for n in (2, 3, 4, 7, 8, 15, 16)]
    assert labels == ["2", "3", "4 to 7", "4 to 7", "8 to 15", "8 to 15", "16 to 31"]
