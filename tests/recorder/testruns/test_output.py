from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.testruns.output import MAX_LINE, Excerpt, Output, lines


def test_colours_and_progress_are_taken_out() -> None:
    assert lines(b"\x1b[1;31mred\x1b[0m\r\n10%\r20%\r30%\n\x1b]0;title\x07x \xff\n") == [
        "red",
        "30%",
        "x �",
        "",
    ]


def test_long_lines_are_cut() -> None:
    assert len(lines("x" * 9999)[0]) == MAX_LINE


def test_each_stream_is_read_apart() -> None:
    assert Output(b"a\n", b" \n", b"").texts() == [["a", ""]]


@given(st.lists(st.binary(max_size=30)), st.integers(0, 40), st.integers(1, 40))
def test_an_excerpt_keeps_the_beginning_and_the_end(
    pieces: list[bytes], head: int, tail: int
) -> None:
    excerpt = Excerpt(head, tail)
    for piece in pieces:
        excerpt.add(piece)

    whole, kept = b"".join(pieces), excerpt.read()

    if not excerpt.left_out:
        assert kept == whole
    else:
        assert kept.startswith(whole[:head] + b"\n")
        assert kept.endswith(whole[-tail:])
        assert len(kept) == len(whole) - excerpt.left_out + 1
