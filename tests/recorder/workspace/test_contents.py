from __future__ import annotations

import os
import random

from traceproof.recorder.workspace.contents import cut


def text(lines: int) -> bytes:
    rng = random.Random(1)
    return b"".join(b"%d %s\n" % (number, b"x" * rng.randrange(80)) for number in range(lines))


def test_pieces_are_the_content() -> None:
    for data in (
        b"",
        b"short",
        text(50_000),
        os.urandom(1 << 20),
        b"\n" * (1 << 20),
        b"x" * (3 << 20),
    ):
        pieces = list(cut(data))
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 1 << 20


def test_an_insertion_in_a_text_changes_a_piece_or_two() -> None:
    before = text(100_000)
    at = before.index(b"\n", len(before) // 3) + 1
    after = before[:at] + b"one more line\n" + before[at:]

    new = [piece for piece in cut(after) if piece not in set(cut(before))]

    assert len(list(cut(before))) > 20
    assert len(new) <= 2


def test_what_changes_in_place_changes_its_block() -> None:
    before = bytearray(os.urandom(1 << 20))
    after = bytearray(before)
    after[700_000] ^= 1

    assert sum(a != b for a, b in zip(cut(bytes(before)), cut(bytes(after)), strict=True)) == 1
