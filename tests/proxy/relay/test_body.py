from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.relay.body import Chunked, Framer, Part, Sized, UntilClosed


def feed(framer: Framer, data: bytes, size: int) -> tuple[int, bytes, str]:
    """Feed in pieces; return where the body ended, what it was, and what was wrong."""
    at, body = 0, b""
    for start in range(0, len(data), size):
        if framer.ended:
            break
        part = framer.feed(data[: start + size], start)
        at, body = part.end, body + part.body
        if part.problem:
            return at, body, str(part.problem)
    return at, body, ""


def test_a_sized_body_ends_where_it_says() -> None:
    framer = Sized(4)

    assert framer.feed(b"xxab", 2) == Part(4, b"ab")
    assert not framer.eof()
    assert framer.feed(b"cdGET", 0) == Part(2, b"cd")
    assert framer.ended
    assert Sized(0).ended


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    framer = UntilClosed()

    assert framer.feed(b"xx all", 2) == Part(6, b" all")
    assert not framer.ended
    assert framer.eof()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_come_in_any_pieces(size: int) -> None:
    data = b"4;name=value\r\nwiki\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"

    assert feed(Chunked(), data + b"GET", size) == (len(data), b"wiki0123456789", "")


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x\r\n", "malformed chunk size"),
        (b"\r\n", "malformed chunk size"),
        (b"+1\r\na\r\n", "malformed chunk size"),
        (b"0x1\r\na\r\n", "malformed chunk size"),
        (b"1_0\r\n", "malformed chunk size"),
        (b" 1\r\na\r\n", "malformed chunk size"),
        (b"1 \r\na\r\n", "malformed chunk size"),
        (b"1\na\r\n", "malformed chunk size"),
        (b"-1\r\n", "malformed chunk size"),
        (b"f" * 16 + b"\r\n", "malformed chunk size"),
        (b"1;a\rb\r\n", "malformed chunk size"),
        (b"2\r\nabc\r\n", "a chunk is longer than its size"),
        (b"2\r\nab\n0\r\n", "a chunk is longer than its size"),
        (b"0\r\nno trailer\r\n\r\n", "malformed header line"),
        (b"0\r\nA: b\nC: d\r\n\r\n", "a line does not end with CR LF"),
        (b"1;" + b"x" * 5000 + b"\r\na\r\n", "a chunk's size or trailers are too long"),
        (b"0\r\n" + b"A: b\r\n" * 5000, "a chunk's size or trailers are too long"),
    ],
)
def test_chunks_that_could_be_read_in_two_ways_are_refused(
    data: bytes, why: str, size: int
) -> None:
    _, body, problem = feed(Chunked(), b"3\r\none\r\n" + data, size)

    assert problem == why
    assert body.startswith(b"one")


def test_a_chunked_body_is_not_whole_before_its_end() -> None:
    framer = Chunked()

    framer.feed(b"3\r\none\r\n0\r\n", 0)
    assert not framer.eof()
    framer.feed(b"\r\n", 0)
    assert framer.eof()


@given(st.binary(max_size=60), st.integers(1, 9))
def test_any_pieces_give_the_same_body(data: bytes, size: int) -> None:
    whole, pieces = feed(Chunked(), data, len(data) + 1), feed(Chunked(), data, size)

    assert whole[1:] == pieces[1:]
