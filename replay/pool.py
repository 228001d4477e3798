"""Runs what a planner asks for, as many boxes at a time as there is room for.

The planner says what to run next and is told what came of it; running one is a function that is
given. Load is an axis of its own: runs that measure it have the machine to themselves. A box that
fails is started anew, a few times; a test that fails is a result.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from traceproof.replay.runs import Run, RunResult
from traceproof.sandbox.errors import ImageFailed, SandboxError

ALONE = frozenset({"load", "slow_cpu"})
"""The axes whose runs have the machine to themselves."""

RETRIES = 2
"""How often a run is begun anew whose box failed."""

_PATIENCE = 60.0
"""Seconds that running threads are waited for after everything was stopped."""


class Planner(Protocol):
    """Says what to run next: a state machine without any input or output."""

    @property
    def done(self) -> bool:
        """Whether nothing more is to be run, whatever comes of what is under way."""

    def next(self, free: int) -> Sequence[Run]:
        """Return at most `free` runs to begin now; none while results must come first."""

    def feed(self, run: Run, result: RunResult) -> None:
        """Take what came of a run."""


class Listener(Protocol):
    """Is told what happens, in the thread that drives."""

    def began(self, run: Run) -> None:
        """Take note that a run was begun."""

    def ended(self, run: Run, result: RunResult) -> None:
        """Take note of what came of a run."""

    def again(self, run: Run, why: str) -> None:
        """Take note that a run's box failed, and that it is begun anew."""


class _Ended(NamedTuple):
    run: Run
    result: RunResult | None
    error: BaseException | None


class Pool:
    """Drives one planner to its end."""

    def __init__(
        self,
        planner: Planner,
        execute: Callable[[Run], RunResult],
        listener: Listener,
        *,
        slots: int,
        seconds: float = 0.0,
    ) -> None:
        """Prepare; nothing runs before `drive`.

        Args:
            planner: says what to run.
            execute: runs it; called from several threads at once.
            listener: is told.
            slots: how many runs there may be at a time.
            seconds: after which nothing more is begun or waited for; 0: as long as it takes.
        """
        self._planner, self._execute, self._listener = planner, execute, listener
        self._slots = slots
        self._deadline = time.monotonic() + seconds if seconds else None
        self._waiting: deque[Run] = deque()
        self._busy: dict[str, Run] = {}
        self._tries: dict[str, int] = {}
        self._threads: set[threading.Thread] = set()
        self._ends: queue.SimpleQueue[_Ended] = queue.SimpleQueue()

    def drive(self) -> bool:
        """Run until the planner has enough.

        Returns:
            True; False where time was up before. Runs may then still be under way: stop the boxes,
            and `join`.

        Raises:
            SandboxError: a box failed again and again.
        """
        while True:
            self._fill()
            if not self._busy:
                return self._planner.done or self._left() != 0.0
            try:
                ended = self._ends.get(timeout=self._left())
            except queue.Empty:
                return False
            self._take(ended)

    def join(self, seconds: float = _PATIENCE) -> None:
        """Wait for the threads of runs under way, once the boxes were stopped."""
        deadline = time.monotonic() + seconds
        for thread in list(self._threads):
            # A signal may have come as it was started; if it runs, it gets no box any more.
            with suppress(RuntimeError):
                thread.join(max(0.0, deadline - time.monotonic()))

    def _left(self) -> float | None:
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def _fill(self) -> None:
        """Begin what there is room for."""
        while self._room() > 0:
            if not self._waiting:
                if self._planner.done:
                    return
                self._waiting.extend(self._planner.next(self._room()))
            if not self._waiting:
                return
            if self._busy and self._waiting[0].axis in ALONE:
                return
            self._begin(self._waiting.popleft())

    def _room(self) -> int:
        if self._left() == 0.0 or any(run.axis in ALONE for run in self._busy.values()):
            return 0
        return self._slots - len(self._busy)

    def _begin(self, run: Run) -> None:
        self._busy[run.id] = run
        self._listener.began(run)
        thread = threading.Thread(target=self._work, args=(run,), name=run.id, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self, run: Run) -> None:
        try:
            self._ends.put(_Ended(run, self._execute(run), None))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that drives
            self._ends.put(_Ended(run, None, error))

    def _take(self, ended: _Ended) -> None:
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        run = self._busy.pop(ended.run.id)
        failure = ended.error
        if ended.result is not None and ended.result.failure:
            failure = SandboxError(ended.result.failure)
        if failure is None and ended.result is not None:
            self._listener.ended(run, ended.result)
            self._planner.feed(run, ended.result)
            return
        tried = self._tries[run.id] = self._tries.get(run.id, 0) + 1
        if tried > RETRIES or not _may_pass(failure):
            assert failure is not None  # noqa: S101 - there is a result or an error
            raise failure
        self._listener.again(run, str(failure))
        self._waiting.appendleft(run)


def _may_pass(failure: BaseException | None) -> bool:
    """Tell whether something that failed may work the next time."""
    return isinstance(failure, SandboxError) and not isinstance(failure, ImageFailed)
