"""When each piece of a body arrived, and how long it was, as an attribute's text.

A stream has dozens of pieces, so they are written as differences: `[µs, bytes, µs, bytes, …]`, each
time counted from the one before it, the first from the span's start.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import sub
from typing import NamedTuple

import msgspec

_NANOSECONDS = 1000


class Arrival(NamedTuple):
    """A piece of a body: when it arrived (Unix nanoseconds), and its length in bytes."""

    time: int
    size: int


def encode_chunks(start: int, arrivals: Iterable[Arrival | tuple[int, int]]) -> str:
    """Encode arrivals against the span's start (Unix nanoseconds); microseconds are kept."""
    pairs = list(arrivals)
    times = [time // _NANOSECONDS for time, _ in pairs]
    numbers = [0] * (2 * len(pairs))
    numbers[::2] = map(sub, times, [start // _NANOSECONDS, *times])
    numbers[1::2] = [size for _, size in pairs]
    return msgspec.json.encode(numbers).decode()


def decode_chunks(start: int, text: str) -> list[Arrival]:
    """Undo `encode_chunks`, to the microsecond.

    Raises:
        ValueError: the text is not such a list.
    """
    numbers = msgspec.json.decode(text, type=list[int])
    if len(numbers) % 2:
        raise ValueError("arrivals are pairs of a time and a size")
    arrivals, at = [], start // _NANOSECONDS
    for passed, size in zip(numbers[::2], numbers[1::2], strict=True):
        at += passed
        arrivals.append(Arrival(at * _NANOSECONDS, size))
    return arrivals
