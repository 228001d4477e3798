"""The formats that `traceproof export` knows. A new one is a module and a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from traceproof.export import otlp_lines
from traceproof.export.whole import Wanted
from traceproof.recorder.reader import TraceReader


class Format(NamedTuple):
    """One format: its name, what it is in a line, and how a trace becomes lines of it.

    `lines` yields whole records with their line ends, and holds few of them at a time.
    """

    name: str
    summary: str
    lines: Callable[[TraceReader, Wanted], Iterator[bytes]]


_ALL = (Format("otlp", "OTLP/JSON lines, one span a line, all content in it", otlp_lines.lines),)
FORMATS = {known.name: known for known in _ALL}


def find(name: str) -> Format:
    """Return the format with a name.

    Raises:
        ValueError: there is none.
    """
    if name not in FORMATS:
        raise ValueError(f"no format {name!r}: there are {', '.join(FORMATS)}")
    return FORMATS[name]
