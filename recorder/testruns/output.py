"""What a command wrote, made fit for the parsers: lines of text without colours, however cut.

`Excerpt` keeps the beginning and the end of a stream of any length while it passes.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

HEAD = 1 << 20
TAIL = 7 << 20
"""Bytes of the beginning and of the end of a stream that `Excerpt` keeps."""

MAX_LINE = 2000
"""Characters of a line that are looked at."""

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-Za-z]|[@-Z\\-_=>78])"
)


class Output(NamedTuple):
    """What a command wrote, masked: the two streams, or both in one where they were one file."""

    stdout: bytes = b""
    stderr: bytes = b""
    merged: bytes = b""

    def texts(self) -> list[list[str]]:
        """Return each stream that holds anything, as lines."""
        return [lines(data) for data in (self.merged, self.stdout, self.stderr) if data.strip()]


class Excerpt:
    """The beginning and the end of what passes."""

    def __init__(self, head: int = HEAD, tail: int = TAIL) -> None:
        self._head = bytearray()
        self._most_head, self._most_tail = head, tail
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.left_out = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        room = self._most_head - len(self._head)
        self._head += data[:room] if room > 0 else b""
        rest = data[max(room, 0) :]
        if not rest:
            return
        self._tail.append(bytes(rest))
        self._tail_size += len(rest)
        while self._tail_size - len(self._tail[0]) >= self._most_tail:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self.left_out += gone

    def read(self) -> bytes:
        """Return what is kept; a line break stands where something was left out."""
        gap = [b"\n"] if self.left_out else []
        return b"".join([bytes(self._head), *gap, *self._tail])


def lines(data: bytes | str) -> list[str]:
    """Return the lines of an output as a reader would see them, long ones cut.

    Colours and other escape sequences are taken out; of a line that was written over (a progress
    bar) what was written last is left.
    """
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    return [_last_written(line) for line in text.replace("\r\n", "\n").split("\n")]


def _last_written(line: str) -> str:
    if "\r" in line:
        line = line.rstrip("\r").rpartition("\r")[2]
    return line[:MAX_LINE].rstrip()
