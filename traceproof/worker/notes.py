"""What a worker has noted of one trace and one task: a small file beside the trace.

All that a worker remembers is in these files and in what its tasks leave, so one that was killed
goes on where it was. Whether a trace is due by its note is decided here, and nothing is done.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from traceproof.recorder.store import SUFFIX
from traceproof.replay.privatefile import write_private

MOST = 8
"""Tries, until a trace is left alone whose environment fails each time: about two hours."""

_FIRST = 60.0
_LONGEST = 3600.0
_BYTES = 1 << 16

State = Literal["begun", "done", "refused", "failed"]


class Note(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a task is with a trace.

    `begun` that nobody is at means that the worker was killed, `refused` that the input is wrong,
    and `failed` that the environment failed.
    """

    state: State
    seen: str
    """The files that counted, with sizes and times: when they change, it begins anew."""
    tries: int = 0
    at: float = 0.0
    """When it was noted, in Unix seconds."""
    why: str = ""

    @property
    def next(self) -> float:
        """When another try is due, in Unix seconds."""
        return self.at + pause(self.tries, _FIRST, _LONGEST)


def pause(tries: int, first: float, longest: float) -> float:
    """Return how long to wait after so many tries in vain: twice as long each time."""
    return min(longest, first * 2.0 ** min(max(tries - 1, 0), 32))


def path_of(trace: Path, task: str) -> Path:
    """Return where the note is."""
    return trace.with_name(f"{trace.name.removesuffix(SUFFIX)}.{task}-worker.json")


def read(trace: Path, task: str) -> Note | None:
    """Read a note; one that is not there, or broken, is none."""
    with suppress(OSError, ValueError, RecursionError), path_of(trace, task).open("rb") as file:
        return msgspec.json.decode(file.read(_BYTES), type=Note)
    return None


def write(trace: Path, task: str, note: Note) -> None:
    """Write a note in place of the one before.

    Raises:
        OSError: the disk is full, or fails.
    """
    write_private(path_of(trace, task), msgspec.json.encode(note) + b"\n")


def remove(trace: Path, task: str) -> None:
    """Forget what was noted.

    Raises:
        OSError: that is not possible.
    """
    path_of(trace, task).unlink(missing_ok=True)


def is_settled(note: Note | None, seen: str) -> bool:
    """Tell whether nothing is to be done with a trace as long as its files are as they are."""
    if note is None or note.seen != seen:
        return False
    return note.state in ("done", "refused") or note.tries >= MOST


def is_due(note: Note | None, seen: str, now: float) -> bool:
    """Tell whether something is to be done with a trace.

    Args:
        note: what is noted of it.
        seen: its files as they are.
        now: in Unix seconds.
    """
    if note is None or note.seen != seen:
        return True
    return not is_settled(note, seen) and now >= note.next
