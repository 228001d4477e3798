from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.needles import Needles


def naive(needles: list[bytes], data: bytes) -> set[tuple[int, bytes]]:
    return {
        (at, needle) for needle in needles for at in range(len(data)) if data.startswith(needle, at)
    }


def many(length: int, count: int = 100) -> list[bytes]:
    return [b"%0*d" % (length, number) for number in range(count)]


def test_no_needles() -> None:
    assert list(Needles().find(b"anything")) == []
    assert Needles().partial(b"anything") == 0


@pytest.mark.parametrize("length", [8, 14, 15, 22, 23, 38, 39, 200])
@pytest.mark.parametrize("before", [0, 1, 7, 31, 32])
def test_every_length_at_every_offset(length: int, before: int) -> None:
    needles = many(length)

    data = b"x" * before + needles[42] + b"yy"

    assert set(Needles(needles).find(data)) == {(before, needles[42])}


def test_occurrences_may_overlap() -> None:
    found = Needles([b"abab", b"ba"]).find(b"ababab")

    assert sorted(found) == [(0, b"abab"), (1, b"ba"), (2, b"abab"), (3, b"ba")]


def test_the_search_begins_where_it_is_told() -> None:
    assert list(Needles([b"needle"]).find(b"needle needle", 1)) == [(7, b"needle")]


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (b"", 0),
        (b"see n", 1),
        (b"see needl", 5),
        (b"see needle", 0),
        (b"see needle n", 1),
        (b"see nee\n", 0),
        (b"no", 1),
        (b"nonne", 2),
    ],
)
def test_partial(data: bytes, held: int) -> None:
    assert Needles([b"needle", b"otherwise"]).partial(data) == held


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(min_size=2, max_size=50), max_size=4),
    st.lists(st.binary(max_size=20), max_size=5),
    st.data(),
)
def test_finds_what_a_naive_search_finds(
    needles: list[bytes], filler: list[bytes], data: st.DataObject
) -> None:
    crowd = many(39) + many(23)  # so that words are sampled
    parts = data.draw(st.permutations([*filler, *needles]))
    text = b"".join(parts)

    found = set(Needles([*needles, *crowd]).find(text))

    assert found == naive([*needles, *crowd], text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab", min_size=2, max_size=9), max_size=4), st.text("abc", max_size=12))
def test_partial_is_the_longest_unfinished_needle(needles: list[str], text: str) -> None:
    encoded = [needle.encode() for needle in needles]

    expected = max(
        (
            size
            for needle in needles
            for size in range(1, len(needle))
            if text.endswith(needle[:size])
        ),
        default=0,
    )

    assert Needles(encoded).partial(text.encode()) == expected
