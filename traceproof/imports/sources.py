"""The formats that can be imported, one row each."""

from __future__ import annotations

from pathlib import Path

from traceproof.imports.atif import Atif
from traceproof.imports.base import Source
from traceproof.imports.claude_code import ClaudeCode
from traceproof.imports.codex import Codex
from traceproof.imports.files import TranscriptFile
from traceproof.imports.mini import Mini
from traceproof.imports.swe_agent import SweAgent

LINES: tuple[Source, ...] = (Codex(), ClaudeCode())
"""Those of JSON Lines."""

DOCUMENTS: tuple[Source, ...] = (Atif(), Mini(), SweAgent())
"""Those of one JSON document."""

SOURCES: dict[str, Source] = {source.name: source for source in (*LINES, *DOCUMENTS)}


def find(file: TranscriptFile, name: str = "") -> Source:
    """Return the format of a file: the one that is named, else the one that its content tells.

    Raises:
        LookupError: no format has this name.
        ValueError: the content is of none.
    """
    if name and name not in SOURCES:
        known = ", ".join(SOURCES)
        raise LookupError(f"no transcript format {name!r}: --source is one of {known}")
    if name:
        return SOURCES[name]
    found = next((source for source in LINES if source.matches(file)), None)
    if found is None and file.is_object():
        found = next((source for source in DOCUMENTS if source.matches(file)), None)
    if found is None:
        known = ", ".join(SOURCES)
        raise ValueError(
            f"{file.path}: not a transcript of {known}; --source names one all the same"
        )
    return found


def session_of(path: Path) -> Path | None:
    """Return the file of the session that a sub-agent's file goes with; None for any other."""
    owners = (source.owner(path) for source in LINES)
    return next((owner for owner in owners if owner is not None), None)
