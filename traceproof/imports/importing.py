"""One import, from a transcript's file to a trace in the store.

The trace is written under a hidden name and appears when it is whole; if it cannot be, there is
none. Everything that is stored goes through the redactor.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from traceproof.imports import sources
from traceproof.imports.assembler import Assembler
from traceproof.imports.base import Source
from traceproof.imports.clock import Clock
from traceproof.imports.files import TranscriptFile
from traceproof.imports.ledger import Ledger
from traceproof.imports.missing import missing
from traceproof.proxy.dialects import wire
from traceproof.recorder import semconv
from traceproof.recorder.consent import user
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Attributes, Span, new_span_id, new_trace_id
from traceproof.recorder.store import SUFFIX, Store
from traceproof.recorder.writer import TraceWriter
from traceproof.resource import resource
from traceproof.rootspan import name_task

_DRAFT = ".importing-"


class Imported(msgspec.Struct, omit_defaults=True):
    """What came of an import; `known` says that the same was imported before, as `trace`."""

    file: str
    source: str
    trace: str
    known: bool = False
    prompts: int = 0
    calls: int = 0
    tool_calls: int = 0
    agents: int = 0
    times: str = ""
    missing: list[str] = []
    problems: list[str] = []


class Importer:
    """Imports transcripts into one store."""

    def __init__(
        self, store: Store, redactor: Redactor, progress: Callable[[str], None] | None = None
    ) -> None:
        """Make the store, if it is not there.

        Raises:
            OSError: that is not possible.
        """
        store.create()
        self._store = store
        self._redactor = redactor
        self._say = progress or (lambda _text: None)
        self._ledger = Ledger(store.path)
        _clear_up(store.traces_path)

    def run(self, path: Path, source_name: str = "", *, again: bool = False) -> Imported:
        """Import one transcript; what was imported before is not, unless `again`.

        Raises:
            OSError: it cannot be read, or the trace not be written.
            ValueError: it is no transcript, or holds nothing.
        """
        notes = wire.Notes()
        file = self._open(path, notes)
        source = sources.find(file, source_name)
        others = [self._open(other, notes) for other in source.others(file)]
        digest = _digest([file, *others])
        known = "" if again else self._ledger.find(digest, self._store.traces_path)
        if known:
            trace = str(self._store.traces_path / known)
            return Imported(str(path), source.name, trace, known=True)
        done = self._write(source, file, others, digest)
        done.problems = notes.lines()
        self._ledger.note(digest, Path(done.trace).name)
        return done

    def _open(self, path: Path, notes: wire.Notes) -> TranscriptFile:
        file = TranscriptFile(path, notes)
        file.progress = lambda read: self._say(f"{path.name}: {read:,} of {file.size:,} bytes")
        return file

    def _write(
        self, source: Source, file: TranscriptFile, others: list[TranscriptFile], digest: str
    ) -> Imported:
        trace_id = new_trace_id()
        draft = self._store.traces_path / f"{_DRAFT}{trace_id}{SUFFIX}"
        writer = TraceWriter(draft, resource=resource(), mask=self._redactor.mask)
        try:
            clock = Clock(file.modified)
            root = _root(source, [file, *others], digest, trace_id)
            assembler = Assembler(writer, root, clock)
            for event in source.read(file, others):
                assembler.take(event)
            _check(assembler, file.path)
            lacking = _finish(assembler, clock, source, file.notes)
            _whole(writer)
            agent = str(root.attributes[semconv.AGENT_NAME])
            path = self._store.new_trace_path(root.start, agent, trace_id)
            draft.rename(path)
        except BaseException:
            writer.close()
            draft.unlink(missing_ok=True)
            raise
        return Imported(
            str(file.path),
            source.name,
            str(path),
            prompts=assembler.prompts,
            calls=assembler.calls,
            tool_calls=assembler.tools,
            agents=assembler.agents,
            times=clock.worth,
            missing=lacking,
        )


def _root(source: Source, files: Sequence[TranscriptFile], digest: str, trace_id: str) -> Span:
    attributes: Attributes = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: source.agent,
        semconv.ORIGIN: "imported",
        semconv.CONSENT: {"given_by": user(), "how": "ran traceproof import"},
        semconv.IMPORT_SOURCE: source.name,
        semconv.IMPORT_DIGEST: digest,
        semconv.IMPORT_FILES: [
            {"name": file.path.name, "sha256": file.sha256, "bytes": file.size} for file in files
        ],
    }
    return Span(trace_id, new_span_id(), "", attributes=attributes)


def _finish(assembler: Assembler, clock: Clock, source: Source, notes: wire.Notes) -> list[str]:
    """End the trace's spans; return the facts that it lacks."""
    root = assembler.root
    name_task(root)
    root.name = f"invoke_agent {root.attributes[semconv.AGENT_NAME]!s}"
    lacking = missing(source.lacks | assembler.lacks, assembler, clock.worth)
    root.attributes[semconv.IMPORT_TIMES] = clock.worth
    root.attributes[semconv.IMPORT_MISSING] = lacking
    if notes.lines():
        root.attributes[semconv.IMPORT_PROBLEMS] = notes.lines()
    assembler.close()
    return lacking


def _check(assembler: Assembler, path: Path) -> None:
    """Refuse what has nothing in it.

    Raises:
        ValueError: it has not.
    """
    if not assembler.calls and not assembler.root.events:
        raise ValueError(f"{path}: a transcript in which nobody says anything")


def _whole(writer: TraceWriter) -> None:
    """Close a trace.

    Raises:
        OSError: not all of it could be written.
    """
    whole = writer.close()
    if writer.problem is not None:
        raise writer.problem
    if not whole or writer.lost:
        raise OSError(f"{writer.path.parent}: not all of the trace could be written")


def _digest(files: Iterable[TranscriptFile]) -> str:
    listed = "\n".join(file.sha256 for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def _clear_up(folder: Path) -> None:
    """Remove what imports that were killed have left; one under way holds a lock."""
    for path in folder.glob(f"{_DRAFT}*"):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            path.unlink(missing_ok=True)
        finally:
            os.close(handle)
