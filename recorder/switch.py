"""Changing the consent of a live recording, from another process: see `recorder.consent`.

This is the side of the commands `traceproof pause`, `resume` and `exclude`.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import msgspec

from traceproof.recorder.consent import (
    FOLDER,
    Change,
    Header,
    Recording,
    State,
    read_changes,
    user,
)


def live(store: Path) -> list[Recording]:
    """Return the recordings that run now, the oldest first."""
    return [recording for recording, running in _all(store) if running]


def leftovers(store: Path) -> list[Recording]:
    """Return the recordings that ended without closing their control file: killed ones.

    What the state `excluded` asks for may still have to be done; after it, remove `path`.
    """
    return [recording for recording, running in _all(store) if not running]


def switch(store: Path, state: State, trace: str = "", *, by: str = "") -> Recording:
    """Set the state of a live recording, and return it as it now is.

    Args:
        store: where it is recorded.
        state: what it is to be; nothing happens when it is that already.
        trace: the beginning of its trace id; not needed when only one is running.
        by: who asks; the user, unless given.

    Raises:
        LookupError: none is running, or more than one could be meant.
        ValueError: it is excluded, which is final.
    """
    recording = choose(live(store), store, trace)
    if recording.state is state:
        return recording
    if recording.state is State.EXCLUDED:
        raise ValueError(f"{recording.header.trace_id} is excluded, and that is final")
    change = Change(time.time_ns(), state, by or user())
    _append(recording.path, msgspec.json.encode(change) + b"\n")
    return msgspec.structs.replace(recording, state=state)


def choose(recordings: list[Recording], store: Path, trace: str) -> Recording:
    """Return the one recording that is meant.

    Raises:
        LookupError: none is, or more than one could be.
    """
    meant = [item for item in recordings if item.header.trace_id.startswith(trace)]
    if len(meant) == 1:
        return meant[0]
    if not recordings:
        raise LookupError(f"no recording is running in {store}")
    names = ", ".join(f"{item.header.trace_id} ({item.header.agent})" for item in recordings)
    if not meant:
        raise LookupError(f"no running recording is {trace}…; there is {names}")
    raise LookupError(f"{len(meant)} recordings are running; name one of {names}")


def _all(store: Path) -> list[tuple[Recording, bool]]:
    found = [_look(path) for path in (store / FOLDER).glob("*.jsonl")]
    known = [item for item in found if item]
    return sorted(known, key=lambda item: (item[0].header.started, item[0].path))


def _look(path: Path) -> tuple[Recording, bool] | None:
    """Read a control file; None where it has just gone, or is not one."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        running = _is_locked(file)
        first, *lines = os.pread(file, os.fstat(file).st_size, 0).splitlines(keepends=True) or [b""]
        header = msgspec.json.decode(first, type=Header)
    except msgspec.DecodeError:
        return None
    finally:
        os.close(file)
    state = State.RECORDING
    for change in read_changes(b"".join(lines)):
        state = state if state is State.EXCLUDED else change.state
    return Recording(header, state, path), running


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _append(path: Path, line: bytes) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise LookupError("the recording has just ended") from None
    try:
        os.write(file, line)
    finally:
        os.close(file)
