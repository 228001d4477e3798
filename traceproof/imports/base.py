"""What a source is: the format of one kind of transcript, told by its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from traceproof.imports.events import Event
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact


class Source(Protocol):
    """One format of transcripts."""

    name: str
    """What `--source` calls it."""
    agent: str
    """`gen_ai.agent.name`, where the transcript itself names none."""
    lacks: frozenset[Fact]
    """What this format never tells, beside what no transcript does."""

    def matches(self, file: TranscriptFile, /) -> bool:
        """Tell whether a file is of this format, by its beginning. Never raises for its content."""

    def others(self, file: TranscriptFile, /) -> Sequence[Path]:
        """Return further files that belong to the same session: those of sub-agents."""

    def kept(self, environment: Mapping[str, str], session: str, /) -> Sequence[Path]:
        """Return where the agent keeps a session's transcript, if it is there.

        `session` is a plain word.
        """

    def owner(self, path: Path, /) -> Path | None:
        """Return the file of the session that a sub-agent's file goes with; None for any other."""

    def read(self, file: TranscriptFile, others: Sequence[TranscriptFile], /) -> Iterator[Event]:
        """Yield what the files tell; what makes no sense is left out, and noted in `file.notes`."""


class OneFile:
    """What is common to formats whose sessions are one file each."""

    def others(self, _file: TranscriptFile) -> Sequence[Path]:
        """Return none."""
        return ()

    def kept(self, _environment: Mapping[str, str], _session: str) -> Sequence[Path]:
        """Return none: who runs the agent says where."""
        return ()

    def owner(self, _path: Path) -> Path | None:
        """Return None: no file goes with another."""
        return None
