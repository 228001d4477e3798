from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.sandbox.docker.frames import Frames


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


pieces = st.lists(st.tuples(st.sampled_from((1, 2)), st.binary(max_size=300)), max_size=8)


@given(pieces, st.integers(1, 50))
def test_what_was_sent_comes_out_whatever_the_pieces(
    sent: list[tuple[int, bytes]], size: int
) -> None:
    wire = b"".join(frame(*one) for one in sent)
    frames = Frames()
    got = {"stdout": b"", "stderr": b""}

    for start in range(0, len(wire), size):
        for name, data in frames.feed(wire[start : start + size]):
            got[name] += data

    assert got["stdout"] == b"".join(data for stream, data in sent if stream == 1)
    assert got["stderr"] == b"".join(data for stream, data in sent if stream == 2)
    assert frames.whole


def test_a_frame_is_not_waited_for() -> None:
    frames = Frames()

    assert list(frames.feed(frame(1, b"hello")[:10])) == [("stdout", b"he")]
    assert not frames.whole
    assert list(frames.feed(b"llo")) == [("stdout", b"llo")]
    assert frames.whole


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not a frame of the engine"):
        list(Frames().feed(b"HTTP/1.1 500 Internal"))
