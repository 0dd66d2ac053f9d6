"""Who is kept: five policies; ties go to the longest, then by id."""

import pyarrow as pa
import pytest

from pipeline_config.dedup import KeepPolicy
from tasks.dedup.keep import keep_order

DOCUMENTS = pa.table(
    {
        "id": ["d", "b", "c", "a", "e"],
        "source": ["web", "docs", "web", "mail", "docs"],
        "num_bytes": [10, 30, 30, 20, 10],
        "first_seen": ["2024-05-01", "", "2023-01-31", "2024-05-01", "2023-12-01"],
        "score": [0.5, 0.5, -1.0, None, 0.7],
    }
)


@pytest.mark.parametrize(
    ("policy", "sources", "ids"),
    [
        ("longest", (), "bcade"),
        ("oldest", (), "ceadb"),
        ("newest", (), "adecb"),
        ("best_score", (), "ebdca"),
        ("preferred_source", ("mail", "web"), "acdbe"),
        ("preferred_source", ("docs",), "becad"),
    ],
)
def test_the_order_follows_the_policy(
    policy: KeepPolicy, sources: tuple[str, ...], ids: str
) -> None:
    order = keep_order(DOCUMENTS, policy, sources)
    assert "".join(DOCUMENTS["id"].take(pa.array(order)).to_pylist()) == ids
