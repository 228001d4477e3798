from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.chunks import Arrival, decode_chunks, encode_chunks

arrivals = st.lists(st.builds(Arrival, st.integers(0, 2**62), st.integers(0, 2**40)))


@given(st.integers(0, 2**62), arrivals)
def test_arrivals_come_back_to_the_microsecond(start: int, pieces: list[Arrival]) -> None:
    expected = [Arrival(time // 1000 * 1000, size) for time, size in pieces]

    assert decode_chunks(start, encode_chunks(start, pieces)) == expected


def test_times_are_differences() -> None:
    assert encode_chunks(1_000_000, [Arrival(1_005_999, 3), Arrival(1_007_000, 4)]) == "[5,3,2,4]"


@pytest.mark.parametrize("text", ["[1]", "{}", '["a",1]', "["])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"pairs|Expected|malformed|truncated"):
        decode_chunks(0, text)
