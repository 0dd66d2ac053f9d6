"""Who is kept: three policies, ties by id."""

import pyarrow as pa
import pytest

from pipeline_config.dedup import KeepPolicy
from tasks.dedup.keep import keep_order

DOCUMENTS = pa.table(
    {
        "id": ["d", "b", "c", "a"],
        "source": ["web", "docs", "web", "mail"],
        "num_bytes": [10, 30, 30, 20],
        "first_seen": ["2024-05-01", "", "2023-01-31", "2024-05-01"],
    }
)


@pytest.mark.parametrize(
    ("policy", "sources", "ids"),
    [
        ("longest", (), "bcad"),
        ("oldest", (), "cadb"),
        ("preferred_source", ("mail", "web"), "acdb"),
        ("preferred_source", ("docs",), "bcad"),
    ],
)
def test_the_order_follows_the_policy(
    policy: KeepPolicy, sources: tuple[str, ...], ids: str
) -> None:
    order = keep_order(DOCUMENTS, policy, sources)
    assert "".join(DOCUMENTS["id"].take(pa.array(order)).to_pylist()) == ids
