from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from traceproof.sandbox.docker.control import Marks

MARK = b"aabaac\n"
letters = st.binary(max_size=40).map(lambda data: bytes(b"abc\n"[byte % 4] for byte in data))


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(letters, letters, st.integers(1, 9))
def test_a_mark_is_taken_out_whatever_the_pieces(before: bytes, after: bytes, size: int) -> None:
    marks = Marks()
    marks.want(MARK)
    found, got = False, b""
    for piece in cut(before + MARK + after, size):
        data, now = marks.feed(piece)
        found, got = found or now, got + data

    first = (before + MARK + after).partition(MARK)
    assert found
    assert got == first[0] + first[2]


@given(letters, st.integers(1, 9))
def test_without_a_mark_wanted_all_comes_out_at_once(data: bytes, size: int) -> None:
    marks = Marks()

    assert [marks.feed(piece) for piece in cut(data, size)] == [
        (piece, False) for piece in cut(data, size)
    ]


def test_what_may_be_the_beginning_of_a_mark_is_held_back_until_it_is_not() -> None:
    marks = Marks()
    marks.want(MARK)

    assert marks.feed(b"report\naab") == (b"report\n", False)
    assert marks.feed(b"aab") == (b"aab", False)
    assert marks.feed(b"aac\nmore") == (b"more", True)
