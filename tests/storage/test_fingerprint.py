import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from storage.fingerprint import UnstableValueError, canonical_json, fingerprint

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Knobs(BaseModel):
    bands: int = 20
    ratio: float = 0.5


def test_fingerprint_is_the_sha256_of_sorted_compact_json() -> None:
    expected = hashlib.sha256(b'{"a":[true,null],"b":"\xc3\xa9"}').hexdigest()
    assert fingerprint({"b": "é", "a": (True, None)}) == expected


@given(json_values)
def test_equal_values_have_equal_fingerprints_whatever_the_key_order(value: object) -> None:
    shuffled = dict(reversed(value.items())) if isinstance(value, dict) else value
    assert fingerprint(shuffled) == fingerprint(value)


def test_a_config_counts_by_its_fields() -> None:
    assert canonical_json(Knobs()) == b'{"bands":20,"ratio":0.5}'
    assert fingerprint(Knobs(bands=21)) != fingerprint(Knobs())


@pytest.mark.parametrize(
    "value",
    [{1, 2}, Path("x"), b"bytes", float("nan"), float("inf"), object(), {1: "x"}, lambda: None],
)
def test_values_without_a_stable_form_are_refused(value: object) -> None:
    with pytest.raises(UnstableValueError, match=r"value\.config\.field"):
        fingerprint({"config": {"field": value}})


def test_minus_zero_is_zero() -> None:
    assert fingerprint([-0.0]) == fingerprint([0.0])


def test_the_hash_seed_changes_nothing() -> None:
    code = "from storage.fingerprint import fingerprint; print(fingerprint({'b': 1, 'a': 'x'}))"
    results = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(results) == 1
