"""Which sessions share a box, and which boxes run now: from asks to runs, from results to answers.

It knows nothing of why. Time, boxes and files are elsewhere.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from traceproof.replay.asks import Answer, Ask, Job, broke_off, usable
from traceproof.replay.runs import Axis, Conditions, Run, RunResult, SessionResult, Tree

MOST_IN_A_BOX = 16
BOX_FAILURES = 3
"""So often a box may fail before it is said that the environment does."""

_LONGEST = 120.0
"""Seconds of sessions that share a box, about: the others wait for it in the end."""

_TRIES_OF_A_HANG = 2
_IN_VAIN = ("timed out", "clock:", "internal error")


class _Batch:
    """Asks of one job that are answered together."""

    def __init__(self, job: Job | None, asks: Sequence[Ask]) -> None:
        self.job = job
        self.answers: list[Answer | None] = [None] * len(asks)
        self.open = len(asks)


class _Ticket(NamedTuple):
    ask: Ask
    batch: _Batch
    slot: int
    attempt: int = 1


class Scheduler:
    """Packs sessions into runs, hands out runs, and drives the jobs that wait for them.

    Args:
        take: called with each usable session, before a job gets it.
        weigh: how many seconds a session takes, about.
        now: Unix seconds.
    """

    def __init__(
        self,
        take: Callable[[Answer, SessionResult], None],
        weigh: Callable[[Ask], float],
        now: Callable[[], float],
    ) -> None:
        self.labels: dict[str, tuple[str, ...]] = {}
        """What the sessions of each run are, in words."""
        self.unusable: list[Answer] = []
        """Sessions that count for nothing, as they were."""
        self.partial: list[Answer] = []
        """Perturbed sessions that broke off; the executions that they reported count."""
        self.failure = ""
        """Why no box can be had any more."""
        self._take, self._weigh, self._now = take, weigh, now
        self._waiting: deque[_Ticket] = deque()
        self._out: dict[str, tuple[Run, list[_Ticket]]] = {}
        self._again: deque[Run] = deque()
        self._numbers: Counter[tuple[Tree, Axis]] = Counter()
        self._failures: Counter[str] = Counter()
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._waiting and not self._out

    @property
    def running(self) -> int:
        """How many boxes are out."""
        return len(self._out) - len(self._again)

    @property
    def waiting(self) -> int:
        """How many sessions wait for a box."""
        return len(self._waiting)

    @property
    def unanswered(self) -> int:
        """How many sessions wait for a box, or are in one."""
        return self.waiting + sum(len(tickets) for _, tickets in self._out.values())

    @property
    def asked(self) -> int:
        """How many runs were made so far."""
        return len(self.labels)

    def ask(self, asks: Sequence[Ask]) -> None:
        """Want sessions that nobody waits for: what they show is taken, and that is all."""
        self._submit(None, asks)

    def start(self, job: Job) -> None:
        """Start a job."""
        self._advance(job, None)

    def drop(self) -> None:
        """Forget what has not been started, and end the jobs that wait for it."""
        for ticket in self._waiting:
            if ticket.batch.job:
                ticket.batch.job.close()
        self._waiting.clear()
        self._again.clear()

    def close(self) -> None:
        """Start nothing more; what is out may still be fed."""
        self.drop()
        self._closed = True

    def next(self, free: int) -> list[Run]:
        """Return runs to start now, at most as many as there are free places."""
        runs: list[Run] = []
        while free > len(runs) and self._again and not self._alone_now():
            runs.append(self._again.popleft())
        while free > len(runs) and (ticket := self._first()):
            runs.append(self._pack(ticket, free - len(runs)))
        return runs

    def feed(self, run: Run, result: RunResult) -> None:
        """Take what came of a run.

        Raises:
            ValueError: the run is not out.
        """
        if run.id not in self._out:
            raise ValueError(f"no such run is out: {run.id}")
        if result.failure:
            self._failed(run, result.failure)
            return
        _, tickets = self._out.pop(run.id)
        for k, ticket in enumerate(tickets):
            session = result.sessions[k] if k < len(result.sessions) else None
            asked = ticket.ask._replace(conditions=run.conditions)
            self._one(ticket, Answer(asked, f"{run.id}#{k}", session))

    def _failed(self, run: Run, why: str) -> None:
        self._failures[run.id] += 1
        if self._closed or self._failures[run.id] >= BOX_FAILURES:
            self.failure = why
            self.close()
            self._out.pop(run.id)
        else:
            self._again.append(run)

    def _one(self, ticket: _Ticket, answer: Answer) -> None:
        if answer.session and usable(answer.session):
            self._take(answer, answer.session)
            self._deliver(ticket, answer)
            return
        again = ticket.attempt < _tries(answer) and not self._closed and not _in_vain(answer)
        if not again and answer.session and _tells_something(answer.ask, answer.session):
            self.partial.append(answer)
            self._take(answer, answer.session)
            self._deliver(ticket, answer)
            return
        self.unusable.append(answer)
        if again:
            self._waiting.appendleft(ticket._replace(attempt=ticket.attempt + 1))
        else:
            self._deliver(ticket, answer._replace(session=None))

    def _deliver(self, ticket: _Ticket, answer: Answer) -> None:
        batch = ticket.batch
        batch.answers[ticket.slot] = answer
        batch.open -= 1
        if batch.job and not batch.open and not self._closed:
            self._advance(batch.job, [a for a in batch.answers if a])

    def _advance(self, job: Job, answers: list[Answer] | None) -> None:
        """Let a job go on until it asks for something, or ends."""
        asks: list[Ask] = []
        while not asks:
            try:
                asks = next(job) if answers is None else job.send(answers)
            except StopIteration:
                return
            answers = []
        self._submit(job, asks)

    def _submit(self, job: Job | None, asks: Sequence[Ask]) -> None:
        batch = _Batch(job, asks)
        self._waiting.extend(_Ticket(ask, batch, slot) for slot, ask in enumerate(asks))

    def _first(self) -> _Ticket | None:
        """Return whose turn it is: what must run alone waits until all else has ended."""
        if self._alone_now():
            return None
        shared = next((t for t in self._waiting if not t.ask.exclusive), None)
        if shared or self._out:
            return shared
        return self._waiting[0] if self._waiting else None

    def _alone_now(self) -> bool:
        return any(exclusive(run.conditions) for run, _ in self._out.values())

    def _pack(self, first: _Ticket, free: int) -> Run:
        tickets = self._companions(first, free)
        taken = {id(ticket) for ticket in tickets}
        self._waiting = deque(t for t in self._waiting if id(t) not in taken)
        run = self._run([ticket.ask for ticket in tickets])
        self._out[run.id] = run, tickets
        return run

    def _companions(self, first: _Ticket, free: int) -> list[_Ticket]:
        alike = [t for t in self._waiting if _box(t.ask) == _box(first.ask)]
        together = first.ask.box or first.ask.exclusive
        most = min(MOST_IN_A_BOX, len(alike) if together else -(-len(alike) // free))
        chosen: list[_Ticket] = []
        seconds = 0.0
        for ticket in alike[:most]:
            seconds += self._weigh(ticket.ask)
            if chosen and seconds > _LONGEST:
                break
            chosen.append(ticket)
        return chosen

    def _run(self, asks: list[Ask]) -> Run:
        tree, axis, conditions, moment, _ = _box(asks[0])
        if moment:
            conditions = msgspec.structs.replace(conditions, clock=float(int(moment - self._now())))
        self._numbers[tree, axis] += 1
        run = f"{tree}/{axis}/{self._numbers[tree, axis]}"
        self.labels[run] = tuple(ask.label for ask in asks)
        values = {ask.value: None for ask in asks}
        return Run(
            id=run,
            tree=tree,
            axis=axis,
            value=next(iter(values)) if len(values) == 1 else f"{len(asks)} sessions",
            conditions=conditions,
            sessions=tuple(ask.session for ask in asks),
        )


def exclusive(conditions: Conditions) -> bool:
    """Return whether a run under these conditions must be the only one."""
    return conditions.load > 0 or conditions.cpus > 0


def _tells_something(ask: Ask, session: SessionResult) -> bool:
    """Return whether a session that broke off counts as far as it went.

    An identical rerun does not: it would be counted as a clean run of tests that it never reached.
    """
    return ask.axis != "same" and broke_off(session) and bool(session.cases)


def _tries(answer: Answer) -> int:
    """Return how often it is run: what hangs costs all the time that there is, each time."""
    hangs = answer.session is not None and answer.session.problem.startswith("timed out")
    return min(answer.ask.tries, _TRIES_OF_A_HANG) if hangs else answer.ask.tries


def _in_vain(answer: Answer) -> bool:
    """Return whether it would be so again: what hangs or breaks the runner takes its time."""
    problem = answer.session.problem if answer.session else ""
    return answer.ask.axis != "same" and problem.startswith(_IN_VAIN)


def _box(ask: Ask) -> tuple[Tree, Axis, Conditions, float, str]:
    return ask.tree, ask.axis, ask.conditions, ask.moment, ask.box
