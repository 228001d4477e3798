"""Reading a transcript's files: line by line, or one JSON document element by element.

What is broken is counted and left out. A file may be growing meanwhile: what is read is what was
there when it was opened, and its digest is of that.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import cached_property
from json import JSONDecoder
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from traceproof.proxy.dialects import jsontext, wire

MAX_LINE = 256 << 20
"""Bytes of one line at most; a longer one is left out."""

MAX_DOCUMENT = 2 << 30
"""Bytes of a file that is one JSON document: it must be in memory, where lines need not be."""

_HEAD = 4 << 20
_FIRST = 20
_PIECE = 1 << 20
_SPACE = re.compile(r"[\s,]*")


class TranscriptFile:
    """One file of a transcript, as it was when it was opened.

    `notes` take what could not be read, `progress` is told how many bytes were.
    """

    def __init__(self, path: Path, notes: wire.Notes) -> None:
        """Open it, and take its digest.

        Raises:
            OSError: it cannot be read, or is a folder.
            ValueError: it is no file: a pipe, which can be read once, or a device without an end.
        """
        self.path = path
        self.notes = notes
        self.progress: Callable[[int], None] = _nothing
        digest, self.size = hashlib.sha256(), 0
        with opened(path) as file:
            self.modified = os.fstat(file.fileno()).st_mtime_ns
            while piece := file.read(_PIECE):
                digest.update(piece)
                self.size += len(piece)
        self.sha256 = digest.hexdigest()

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the objects that its lines are; what is no object is counted and left out."""
        with self.path.open("rb") as file:
            for line in self._lines(file):
                record = self._record(line)
                if record is not None:
                    yield record

    @cached_property
    def first(self) -> list[dict[str, Any]]:
        """The first objects that its lines are, for telling what it is."""
        with self.path.open("rb") as file:
            lines = file.read(min(_HEAD, self.size)).split(b"\n")
        found = (_decoded(line) for line in lines[: _FIRST * 10])
        return [record for record in found if isinstance(record, dict)][:_FIRST]

    def is_object(self) -> bool:
        """Tell whether it begins as a JSON object does."""
        with self.path.open("rb") as file:
            return file.read(_PIECE).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"

    @cached_property
    def document(self) -> Document:
        """The file as one JSON object.

        Raises:
            ValueError: it is none, nor the beginning of one; or it is too large.
        """
        if self.size > MAX_DOCUMENT:
            raise ValueError(f"{self.path}: one JSON document of {self.size} bytes is too large")
        with self.path.open("rb") as file:
            data = file.read(self.size)
        self.progress(self.size)
        return Document(data, self.path, self.notes)

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        left = self.size
        while left > 0 and (line := file.readline(min(MAX_LINE, left))):
            left -= len(line)
            self.progress(self.size - left)
            if line.endswith(b"\n") or left <= 0:
                yield line
                continue
            self.notes.add(f"a line of more than {MAX_LINE} bytes was left out")
            while left > 0 and (line := file.readline(min(_PIECE, left))):
                left -= len(line)
                if line.endswith(b"\n"):
                    break

    def _record(self, line: bytes) -> dict[str, Any] | None:
        if not line.strip():
            return None
        record = _decoded(line)
        if isinstance(record, dict):
            return record
        cut = not line.endswith(b"\n")
        self.notes.add("the last line is cut off" if cut else "a line is no JSON object")
        return None


def opened(path: Path) -> BinaryIO:
    """Open a file for reading, without waiting where it is a pipe that nobody writes into.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is a pipe, which can be read but once, or a device.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        os.close(handle)
        if is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise ValueError(f"{path}: a pipe or a device: a transcript is a file")
    return os.fdopen(handle, "rb")


def _nothing(_read: int) -> None:
    pass


class Document:
    """One JSON object, whose lists are decoded element by element.

    Of one that is cut off or broken, `elements` gives those that are whole.
    """

    def __init__(self, data: bytes, path: Path, notes: wire.Notes) -> None:
        self._notes = notes
        self._text = ""
        self._members: dict[str, msgspec.Raw] = {}
        try:
            self._members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except (ValueError, RecursionError):
            if not data.lstrip()[:1] == b"{":
                raise ValueError(f"{path}: neither JSON Lines nor a JSON object") from None
            self._text = data.decode("utf-8", "replace")
            notes.add("the document is broken or cut off: what is whole was taken")

    def names(self) -> set[str]:
        """Return the names of its members, as far as they are known."""
        if self._members:
            return set(self._members)
        return set(re.findall(r'"(\w+)"\s*:', self._text[: 1 << 20]))

    def get(self, key: str) -> Any:
        """Return a member decoded; None where there is none, or it makes no sense."""
        raw = self._members.get(key)
        if raw is not None:
            return _decoded(bytes(raw))
        return next(self._found(key, re.escape(f'"{key}"') + r"\s*:\s*"), None)

    def elements(self, key: str) -> Iterator[Any]:
        """Yield the elements of a list, each decoded when it is asked for."""
        raw = self._members.get(key)
        if raw is None:
            yield from self._found(key, re.escape(f'"{key}"') + r"\s*:\s*\[")
            return
        try:
            each = msgspec.json.decode(raw, type=list[msgspec.Raw])
        except (ValueError, RecursionError):
            self._notes.add(f"{key} is not a list")
            return
        for element in each:
            yield _decoded(bytes(element))

    def _found(self, key: str, pattern: str) -> Iterator[Any]:
        """Yield what a broken text holds after the first match, value by value."""
        start = re.search(pattern, self._text)
        if start is None:
            return
        decoder, at = JSONDecoder(), start.end()
        while True:
            at = _end(_SPACE.match(self._text, at), at)
            try:
                value, at = decoder.raw_decode(self._text, at)
            except (ValueError, RecursionError):
                if self._text[at : at + 1] not in {"]", "}"}:
                    self._notes.add(f"the last of {key} is cut off")
                return
            yield _decoded(msgspec.json.encode(value)) if isinstance(value, dict | list) else value


def _end(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def _decoded(data: bytes) -> Any:
    """Decode JSON; None where it is none."""
    try:
        return jsontext.decode(data)
    except ValueError:
        return None
