from __future__ import annotations

from typing import TYPE_CHECKING

from traceproof.proxy.segments import PIECE, Segments
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Mask, Masked

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk


def read(desk: Desk, ref: str) -> tuple[bytes, list[int]]:
    """Return the bytes of a body, and where its masks are."""
    desk.writer.flush()
    with TraceReader.open(desk.writer.path) as reader:
        return b"".join(reader.iter_body(ref)), [mask.offset for mask in reader.masks(ref)]


def test_a_body_is_what_came_so_far(desk: Desk) -> None:
    body = Segments(desk.writer)
    body.add(Masked(b"one ", []))
    body.add(Masked(b"<SECRET:KEY> ", [Mask(0, "KEY")]))
    first = body.ref()
    body.add(Masked(b"", []))
    body.add(Masked(b"and <SECRET:KEY>", [Mask(4, "KEY")]))

    assert read(desk, first) == (b"one <SECRET:KEY> ", [4])
    assert read(desk, body.ref()) == (b"one <SECRET:KEY> and <SECRET:KEY>", [4, 21])
    assert body.ref() == body.ref()


def test_nothing_has_no_reference(desk: Desk) -> None:
    assert Segments(desk.writer).ref() == ""


def test_much_is_not_kept_waiting(desk: Desk) -> None:
    body = Segments(desk.writer)
    for number in range(3):
        body.add(Masked(bytes([number]) * PIECE, []))

    data, _ = read(desk, body.ref())

    assert data == b"".join(bytes([number]) * PIECE for number in range(3))
