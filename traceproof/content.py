"""The content of a trace's spans, read when it is asked for; for any thread, and after a fork.

A process that was forked opens the file anew: a lock that another thread held stays locked there.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder import semconv
from traceproof.recorder.errors import DamagedTrace
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import AttributeValue, Span


class _Opened(NamedTuple):
    """The file as one process has it open, and who may read just now."""

    reader: TraceReader
    lock: threading.Lock


class Content:
    """One trace file, held open until `close`."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: it cannot be opened.
            ValueError: it is no trace, or a later version's.
        """
        self.path = path
        self._closed = False
        self._opened = {os.getpid(): _Opened(TraceReader.open(path), threading.Lock())}
        """By process: one that was forked has a copy of what its parent has open."""
        self.format_version = self._opened[os.getpid()].reader.format_version

    def close(self) -> None:
        """Close the file, once nobody is reading; closing it again does nothing."""
        opened = self._opened.get(os.getpid())
        if opened is None:  # its parent's: nobody else here has used it
            self._closed = True
            return
        with opened.lock:
            if not self._closed:
                self._closed = True
                opened.reader.close()

    def records(self) -> list[Record]:
        """Return all spans, references in them unresolved, with what is pending last."""
        with self._reading() as reader:
            return list(reader.records())

    def problems(self) -> list[str]:
        """Return what could not be read so far."""
        with self._reading() as reader:
            return reader.problems

    def value(self, span: Span, name: str) -> AttributeValue | None:
        """Return an attribute of a span, read if it is content; None where the span has none.

        Raises:
            ValueError: its content is missing from a damaged file.
        """
        if name in span.attributes:
            return span.attributes[name]
        reference = span.attributes.get(semconv.REF + name)
        if reference is None:
            return None
        with self._reading() as reader:
            try:
                return reader.resolve(str(reference))
            except DamagedTrace as error:
                raise DamagedTrace(f"{self.path}: span {span.span_id}: {name}: {error}") from error

    def whole(self, span: Span) -> Span:
        """Return a span with all its content in it; what cannot be read stays a reference."""
        with self._reading() as reader:
            return reader.inline(span)

    def with_only(self, span: Span, *names: str) -> Span:
        """Return a span with the content of these attributes, of its events too, and no other.

        Raises:
            ValueError: its content is missing from a damaged file.
        """
        with self._reading() as reader:
            told = reader.inline(span, dict.fromkeys(names, sys.maxsize))
        left = {*told.attributes, *(name for event in told.events for name in event.attributes)}
        for name in names:
            if semconv.REF + name in left:
                raise DamagedTrace(f"{self.path}: span {span.span_id}: {name}: it cannot be read")
        return told

    @contextmanager
    def _reading(self) -> Iterator[TraceReader]:
        """Hold the reader of this process, for one thread.

        Raises:
            ValueError: the trace was closed.
        """
        pid = os.getpid()
        if pid not in self._opened and not self._closed:
            mine = _Opened(TraceReader.open(self.path), threading.Lock())
            if self._opened.setdefault(pid, mine) is not mine:  # another thread was faster
                mine.reader.close()
        opened = self._opened.get(pid)
        if opened is None:
            raise self._is_closed()
        with opened.lock:
            if self._closed:
                raise self._is_closed()
            yield opened.reader

    def _is_closed(self) -> ValueError:
        return ValueError(f"{self.path}: the trace is closed")
