import hashlib

import pyarrow as pa

from tasks.report.examples import Place, choose, locate, spread


def table(rows: list[tuple[str, str]]) -> pa.Table:
    ids, reasons = zip(*rows, strict=True)
    return pa.table(
        {"id": ids, "reason": reasons, "similarity": pa.array([0.5] * len(rows), pa.float32())}
    )


def test_choose_takes_the_smallest_ids_over_all_files() -> None:
    files = [
        table([("5", "short"), ("3", ""), ("9", "short")]),
        table([("1", "short"), ("2", "long"), ("4", "short")]),
    ]

    chosen = choose(files, most=2)

    assert {reason: [c.id for c in found] for reason, found in chosen.items()} == {
        "short": ["1", "4"],
        "": ["3"],
        "long": ["2"],
    }
    assert chosen["short"][0].place == Place(file=1, row=0)


def test_choice_does_not_depend_on_sharding() -> None:
    rows = [(hashlib.md5(b"%d" % n).hexdigest(), "ab"[n % 2]) for n in range(100)]
    whole = choose([table(rows)], most=5)
    parts = choose([table(rows[start : start + 7]) for start in range(0, 100, 7)], most=5)
    assert [c.id for c in whole["a"]] == [c.id for c in parts["a"]]
    assert [c.id for c in whole["a"]] == sorted(name for name, reason in rows if reason == "a")[:5]


def test_locate_finds_rows_by_id() -> None:
    files = [table([("a", ""), ("b", "")]), table([("c", "")])]
    assert locate(files, ["c", "b", "gone"]) == {"b": Place(0, 1), "c": Place(1, 0)}


def test_spread_keeps_both_ends() -> None:
    assert spread(3, 5) == [0, 1, 2]
    assert spread(10, 4) == [0, 3, 6, 9]
    assert spread(10, 1) == [0]
    assert spread(10, 0) == []
