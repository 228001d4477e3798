"""Consent while a recording runs: `traceproof pause`, `resume`, `exclude`.

A live recording has one file, `<store>/control/<trace id>.jsonl`. Its first line says what is being
recorded; each further line is one change, with its time and who made it. Lines are only ever
appended, each in one write, so neither side waits for the other. The recorder holds a lock on the
file, which the kernel drops with the process: a file without one is of a recording that is over.
The recorder looks at the file's size whenever it asks for the state, so a change is in force at
once for whatever happens after it.

- `recording`: everything is kept.
- `paused`: calls pass unrecorded. Of a call that was under way when the pause began
  (`Control.covers`), what was on disk by then stays, and nothing more is kept. The trace shows the
  gap, with its start and end (`Control.events`).
- `excluded`: final, and for the whole session. The recorder removes what it has written as soon as
  it sees this, not at the end, and leaves in its place a trace that has nothing but its root span:
  trace id, agent, times, and the marker. A recorder that was killed first leaves its control file
  behind; `traceproof.recorder.switch.leftovers` names the traces that must still go.

A line that cannot be read counts as a pause: in doubt, nothing is kept.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event

FOLDER = "control"
CONSENT_EVENT = "traceproof.consent"
UNTIL = "traceproof.consent.until"
BY = "traceproof.consent.by"


class State(StrEnum):
    """Whether a session may be recorded."""

    RECORDING = "recording"
    PAUSED = "paused"
    EXCLUDED = "excluded"


class Header(msgspec.Struct, frozen=True):
    """What is being recorded; `started` in Unix nanoseconds."""

    trace_id: str
    agent: str
    pid: int
    started: int


class Change(msgspec.Struct, frozen=True):
    """The state from a moment (Unix nanoseconds) on."""

    time: int
    state: State
    by: str


class Interval(msgspec.Struct, frozen=True):
    """A time in one state; `end` 0 while it lasts."""

    state: State
    start: int
    end: int
    by: str


class Recording(msgspec.Struct, frozen=True):
    """A recording as its control file shows it."""

    header: Header
    state: State
    path: Path


class Control:
    """The recorder's side: holds the control file and reads what others append."""

    def __init__(self, store: Path, trace_id: str, *, agent: str, started: int) -> None:
        folder = store / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{trace_id}.jsonl"
        self._file = _create(self._path, Header(trace_id, agent, os.getpid(), started))
        self._lock = threading.Lock()
        self._read = os.fstat(self._file).st_size
        self._changes = [Change(started, State.RECORDING, user())]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say that the recording is over, everything that was asked for done."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def state(self) -> State:
        """Return the state now; costs one `fstat`."""
        self._catch_up()
        return self._changes[-1].state

    def intervals(self) -> list[Interval]:
        """Return every state so far, in order and without gaps."""
        self._catch_up()
        ends = [*(change.time for change in self._changes[1:]), 0]
        return [
            Interval(change.state, change.time, end, change.by)
            for change, end in zip(self._changes, ends, strict=True)
        ]

    def covers(self, start: int, end: int) -> bool:
        """Tell whether there was consent through a whole time, both ends in it.

        Args:
            start: Unix nanoseconds.
            end: Unix nanoseconds; of something still under way, any time to come.
        """
        intervals = self.intervals()
        if intervals[-1].state is State.EXCLUDED:
            return False
        return not any(
            interval.state is State.PAUSED
            and interval.start <= end
            and (not interval.end or interval.end >= start)
            for interval in intervals
        )

    def events(self) -> list[Event]:
        """Return the markers for the root span: one a pause, and one for an exclusion."""
        return [
            _event(interval)
            for interval in self.intervals()
            if interval.state is not State.RECORDING
        ]

    def _catch_up(self) -> None:
        with self._lock:  # the relay's thread asks too
            self._read_on()

    def _read_on(self) -> None:
        size = os.fstat(self._file).st_size
        if size == self._read:
            return
        data = os.pread(self._file, size - self._read, self._read)
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for change in read_changes(whole):
            last = self._changes[-1]
            if last.state is not State.EXCLUDED and change.state is not last.state:
                # A clock that was set back must not put a change before the one before it.
                later = max(change.time, last.time)
                self._changes.append(Change(later, change.state, change.by))


def _create(path: Path, header: Header) -> int:
    """Make a file that is locked and has its first line before anyone can see it."""
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(file, msgspec.json.encode(header) + b"\n")
        draft.rename(path)
    except OSError:
        draft.unlink()
        os.close(file)
        raise
    return file


def _event(interval: Interval) -> Event:
    attributes: Attributes = {semconv.CONSENT: interval.state.value, BY: interval.by}
    if interval.end:
        attributes[UNTIL] = interval.end
    return Event(CONSENT_EVENT, interval.start, attributes)


def read_changes(lines: bytes) -> Iterator[Change]:
    """Read the lines that were appended."""
    for line in lines.splitlines():
        try:
            yield msgspec.json.decode(line, type=Change)
        except msgspec.DecodeError:
            yield Change(time.time_ns(), State.PAUSED, "unreadable request")


def user() -> str:
    """Return who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
