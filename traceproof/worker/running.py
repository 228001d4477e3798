"""A worker from its start to its end: it takes what is due, one trace at a time, oldest first.

What a task is and what is noted of it is decided elsewhere; here is the order of things, and what
becomes of a failure. It says what it does in plain lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.exits import ENVIRONMENT, NO, USAGE
from traceproof.recorder.store import Store
from traceproof.team.signals import Signals
from traceproof.worker import notes
from traceproof.worker.child import Child, Ended
from traceproof.worker.finished import is_finished
from traceproof.worker.life import Heart, Life, Only
from traceproof.worker.notes import Note, State
from traceproof.worker.tasks import Task

_FIRST = 5.0
_LONGEST = 300.0
"""Seconds that it rests after a failure of the environment: of one more than of the other."""


class Manner(NamedTuple):
    """How it works; times in seconds."""

    every: float = 10.0
    """How long it waits when nothing is due."""
    quiet: float = 600.0
    """After how long a trace counts as finished that nobody closed."""
    grace: float = 60.0
    """What the command under way gets when the worker is stopped."""
    once: bool = False
    """Whether it ends when nothing is due."""


class Worker:
    """One worker, for one task and one store."""

    def __init__(
        self, task: Task, store: Store, manner: Manner, say: Callable[[str], None]
    ) -> None:
        """Prepare; `say` is told what it does, a line each."""
        self._task, self._store, self._manner, self._say = task, store, manner, say
        self._heart = Heart(store, task.name)
        self._settled: dict[Path, str] = {}
        self._failures = 0
        self._stopping = False

    @property
    def life(self) -> Life:
        """What it has done so far."""
        return self._heart.life

    def run(self) -> int:
        """Work until a signal ends it, or with `once` until nothing is due; return the exit code.

        Raises:
            OSError: the store cannot be written.
        """
        self._store.create()
        with Signals() as signals, Only(self._store, self._task.name) as only:
            if not only.take(lambda: self._wait_for_another(signals)):
                return 0
            with self._heart:
                self._say(f"{self._task.name}: at work on {self._store.traces_path}")
                self._work(signals, only.handle)
        life = self._heart.life
        self._say(
            f"{self._task.name}: {life.done} done, {life.refused} that cannot be, "
            f"{life.failed} failures of the environment; ended"
        )
        return ENVIRONMENT if self._manner.once and life.failed else 0

    def _wait_for_another(self, signals: Signals) -> bool:
        self._say(f"{self._task.name}: another worker is at work on this store, or what it left")
        return signals.wait(self._manner.every)

    def _work(self, signals: Signals, lock: int) -> None:
        while not self._stopping:
            trace = next(self._due(), None)
            if trace is not None:
                self._do(trace, signals, lock)
                self._stopping |= signals.wait(self._rest())
            elif self._manner.once:
                return
            else:
                self._stopping = signals.wait(self._manner.every)

    def _rest(self) -> float:
        """Return how long to rest now: after failures of the environment a while."""
        if not self._failures or self._manner.once or self._stopping:
            return 0.0
        seconds = notes.pause(self._failures, _FIRST, _LONGEST)
        self._say(f"{self._task.name}: resting for {seconds:.0f} s")
        return seconds

    def _due(self) -> Iterator[Path]:
        """Yield the traces that something is to be done with, oldest first."""
        now = time.time()
        for trace in self._store.paths():
            with suppress(FileNotFoundError):  # excluded, or moved away
                if self._is_due(trace, now):
                    yield trace

    def _is_due(self, trace: Path, now: float) -> bool:
        seen = self._task.seen(trace)
        if self._settled.get(trace) == seen:
            return False
        note = notes.read(trace, self._task.name)
        if self._task.is_there(trace) or notes.is_settled(note, seen):
            self._settled[trace] = seen
            return False
        return notes.is_due(note, seen, now) and is_finished(trace, now, self._manner.quiet)

    # --- one trace --------------------------------------------------------------------------------

    def _do(self, trace: Path, signals: Signals, lock: int) -> None:
        """Do it, and note what came of it."""
        try:
            self._attempt(trace, signals, lock)
        except FileNotFoundError:  # the trace is gone, or what noted it
            if trace.exists():
                raise
        except OSError as error:  # the store's disk is full, or fails
            if self._manner.once:
                raise
            self._failed(trace, error.strerror or str(error))

    def _attempt(self, trace: Path, signals: Signals, lock: int) -> None:
        name, seen = self._task.name, self._task.seen(trace)
        before = notes.read(trace, name)
        tries = before.tries if before is not None and before.seen == seen else 0
        note = Note(state="begun", seen=seen, tries=tries + 1, at=time.time())
        try:
            command = self._task.command(trace)
        except ValueError as error:
            self._ended(trace, note, Ended(USAGE, str(error)))
            return
        notes.write(trace, name, note)
        ended = self._run(command, trace, signals, lock)
        if ended is not None:
            self._ended(trace, note, ended)
            return
        if before is None:
            notes.remove(trace, name)
        else:
            notes.write(trace, name, before)  # it was no try: it begins anew
        self._say(f"{name}: {trace.name}: stopped, to be begun anew")

    def _run(self, command: list[str], trace: Path, signals: Signals, lock: int) -> Ended | None:
        """Run a command to its end; None when it was ended because the worker is stopped."""
        self._say(f"{self._task.name}: {trace.name}")
        self._at(trace.name)
        try:
            with Child(command, lock, signals.wake) as child:
                signals.wait()
                if child.ended is None:
                    self._stopping = True
                    self._say(f"{self._task.name}: stopping, in {self._manner.grace:.0f} s at most")
                    signals.wait(self._manner.grace)
                return child.ended
        finally:
            self._at("")

    def _at(self, trace: str) -> None:
        self._heart.life.doing = trace
        self._heart.life.since = time.time() if trace else 0.0
        self._heart.tell()

    def _ended(self, trace: Path, note: Note, ended: Ended) -> None:
        """Note how it ended, and say it."""
        life, about = self._heart.life, f"{self._task.name}: {trace.name}"
        if ended.code in (0, NO):
            self._note(trace, note, "done", ended.why if ended.code else "")
            self._failures, life.problem = 0, ""
            life.done += 1
            answer = "the answer is no" if ended.code else "done"
            self._say(f"{about}: {answer}, {time.time() - note.at:.0f} s")
        elif ended.code == USAGE:
            self._note(trace, note, "refused", ended.why)
            life.refused += 1
            self._say(f"{about}: cannot be: {ended.why}")
        else:
            why = _reason(ended)
            self._note(trace, note, "failed", why)
            self._failed(trace, why)
            if note.tries >= notes.MOST:
                self._say(f"{about}: left alone after {note.tries} tries")

    def _note(self, trace: Path, note: Note, state: State, why: str) -> None:
        now = time.time()
        found = msgspec.structs.replace(note, state=state, why=why, at=now)
        notes.write(trace, self._task.name, found)

    def _failed(self, trace: Path, why: str) -> None:
        self._failures += 1
        self._heart.life.failed += 1
        self._heart.life.problem = why
        self._say(f"{self._task.name}: {trace.name}: the environment failed: {why}")


def _reason(ended: Ended) -> str:
    """Say why a command neither did its work nor said no."""
    crashed = "" if ended.code == ENVIRONMENT else f"it ended with {ended.code}"
    return ": ".join(filter(None, (crashed, ended.why))) or "no reason given"
