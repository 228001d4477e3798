"""A verification: which runs to do next, given what came of those before, until there is a verdict.

A state machine: no I/O, no clock but what is passed in. Boxes and files are `verify`'s.

    controls -> identical reruns -> perturbations -> causes -> verdict
"""

from __future__ import annotations

from collections.abc import Iterator

from traceproof.replay import classify, judgement, plan, undone
from traceproof.replay.asks import Ask, seeds_from
from traceproof.replay.axes import perturbed
from traceproof.replay.causes import examine
from traceproof.replay.causes.lab import Lab
from traceproof.replay.ledger import Ledger
from traceproof.replay.options import Options, Plan
from traceproof.replay.runs import Run, RunResult, Session, SessionResult, Tree
from traceproof.replay.scheduler import Scheduler
from traceproof.replay.verdict import Control, Environment, RunRecord, Subject, TraceClass, Verdict

_KEPT_FOR_CAUSES = 0.2
"""The share of the time that perturbations leave for finding causes."""


class Verification:
    """Says what to run, is told what came of it, and gives the verdict.

    Args:
        options: what is asked for.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.phase = "controls"
        """`controls`, `identical reruns`, `perturbations`, `causes`, `done`."""
        self.ended = 0
        """Runs that came back, those whose box failed among them."""
        self.failed = ""
        """Why the environment failed; empty: it did not."""
        self._seeds = seeds_from(options.seed)
        self._ledger = Ledger()
        self._lab = Lab(self._ledger, options, self._seeds)
        self._elapsed = 0.0
        self._scheduler = Scheduler(self._ledger.take, self._ledger.weigh, self._now)
        self._results: list[tuple[Run, RunResult]] = []
        self._controls: dict[Tree, tuple[str, SessionResult]] = {}
        self._notes: list[str] = []
        self._stopped = ""
        self._course = self._phases()

    @property
    def asked(self) -> int:
        """How many runs were handed out so far."""
        return self._scheduler.asked

    @property
    def done(self) -> bool:
        """Whether nothing more will be asked, and nothing is out."""
        return self.phase == "done" and self._scheduler.idle

    def next(self, free: int, elapsed: float = 0.0) -> list[Run]:
        """Return runs to start now; none while it waits for results, or when it is done.

        Args:
            free: how many may be started.
            elapsed: seconds since the verification began.
        """
        self._elapsed = elapsed
        self._watch_the_time()
        runs = self._scheduler.next(free)
        while not runs and self._scheduler.idle and self.phase != "done":
            self.phase = next(self._course, "done")
            runs = self._scheduler.next(free)
        return runs

    def feed(self, run: Run, result: RunResult) -> None:
        """Take what came of a run that was handed out.

        Raises:
            ValueError: it is not out.
        """
        self._scheduler.feed(run, result)
        self.ended += 1
        self._results.append((run, result))
        if run.axis == "same" and run.tree not in self._controls and result.sessions:
            self._controls[run.tree] = f"{run.id}#0", result.sessions[0]
        if self._scheduler.failure and not self._stopped:
            self.give_up(self._scheduler.failure)

    def stop(self, why: str) -> None:
        """Ask for nothing more. What is out may still be fed."""
        if self.phase != "done":
            self._stopped = why
            self._end()

    def give_up(self, why: str) -> None:
        """Say that the environment failed: no test is to blame."""
        self.failed = why
        self._end()

    def estimate(self) -> Plan:
        """Return what will be run, and how long it takes: that is known after the controls."""
        return plan.estimate(self.options, self._ledger, self._seeds, self._overhead())

    def verdict(
        self,
        *,
        subject: Subject | None = None,
        environment: Environment | None = None,
        started: float = 0.0,
        seconds: float = 0.0,
        version: str = "",
    ) -> Verdict:
        """Return the verdict on what is known so far."""
        tests = judgement.test_verdicts(self._lab)
        vanished = classify.vanished(self._lab)
        said = self._without_tests() or classify.judge(tests, vanished, self.options)
        lost = undone.lost(self._lab) if self.options.undone else undone.Lost()
        mends = self.options.task not in classify.BY_WHAT_PASSES
        said = undone.judged(said, lost, mends=mends)
        broken = [*self._broken, *self._unheard]
        said = classify.with_broken(said, broken, self._ledger.sessions - len(self._unheard))
        said = classify.with_plugins(classify.with_beyond(said, self._lab), self._lab)
        return Verdict(
            class_=said.class_,
            outcome=said.outcome,
            verified=said.verified,
            reason=said.reason,
            causes=classify.causes_of(tests),
            task=self.options.task,
            subject=subject or Subject(),
            environment=environment,
            budgets=judgement.budgets(self.options),
            seed=self.options.seed,
            controls=tuple(self._control_records()),
            tests=tests,
            fail_to_pass=said.fail_to_pass,
            pass_to_pass=said.pass_to_pass,
            pass_to_fail=said.pass_to_fail,
            taken_out=said.taken_out,
            vanished=vanished,
            lost=lost.all,
            runs=tuple(self._records()),
            notes=judgement.notes(
                self._lab, self._scheduler.unusable, self._scheduler.partial, self._all_notes()
            ),
            started=started,
            seconds=seconds,
            version=version,
        )

    def _phases(self) -> Iterator[str]:
        """Yield each phase's name when its sessions are asked for."""
        runs = self.options.runs or judgement.needed(self.options)
        self._scheduler.ask(self._same(range(1, 2), min(1, runs)))
        if self.options.undone:
            self._scheduler.ask(undone.asks(self._seeds))
        yield "controls"
        if not self._ledger.tests:
            return
        self._scheduler.ask(self._same(range(2, runs + 1), min(plan.BASE_RUNS, runs)))
        yield "identical reruns"
        self._scheduler.ask(perturbed(self._ledger, self.options, self._seeds))
        yield "perturbations"
        for jobs in (examine.first, examine.rest, examine.second):
            for job in jobs(self._lab):
                self._scheduler.start(job)
            yield "causes"

    def _same(self, numbers: range, base: int) -> list[Ask]:
        trees: list[Tree] = ["base", "final"] if self.options.base else ["final"]
        return [
            Ask(Session(seed=self._seeds("same", k)), "as is", tree=tree, axis="same", box=str(k))
            for k in numbers
            for tree in trees
            if tree == "final" or k <= base
        ]

    def _now(self) -> float:
        return self.options.now + self._elapsed

    def _watch_the_time(self) -> None:
        limit = self.options.seconds
        if not limit or self.phase == "done":
            return
        if self._elapsed >= limit:
            self.stop(f"the time was up after {limit:g} s, in the phase of {self.phase}")
        elif self.phase == "perturbations" and self._elapsed >= limit * (1 - _KEPT_FOR_CAUSES):
            if self._scheduler.waiting:
                left = self._scheduler.waiting
                self._notes.append(f"{left} perturbed sessions were left out: the time was short")
            self._scheduler.drop()

    def _end(self) -> None:
        self._lab.cut_short = True
        if self.phase == "perturbations" and (left := self._scheduler.unanswered):
            self._lab.unseen = left
            self._notes.append(f"{left} perturbed sessions were left out: it was stopped before")
        self._scheduler.close()
        self.phase = "done"

    def _overhead(self) -> float:
        """Return how many seconds a box takes besides its sessions."""
        run, result = next((x for x in self._results if not x[1].failure), (None, None))
        if run is None or result is None:
            return 0.0
        return max(0.0, result.seconds - sum(session.seconds for session in result.sessions))

    def _without_tests(self) -> classify.Judgement | None:
        """Return what is said where there is nothing to judge."""
        if self.failed:
            return _nothing("environment_failed", self.failed)
        if self._ledger.tests:
            return None if judgement.listed(self._lab) else _unnamed(self.options.base)
        if self._ledger.sessions:
            return _nothing("no_tests", "no test was found")
        why = self._stopped or "nothing was run"
        if "final" in self._controls:
            problem = self._controls["final"][1].problem or "the test runner went away"
            why = f"the tests do not come to their end on the final tree: {problem}"
        said = _nothing("inconclusive", why)
        return said._replace(outcome="unresolved") if "final" in self._controls else said

    @property
    def _broken(self) -> list[str]:
        """Why identical reruns of the final tree did not come to their end."""
        return [
            answer.session.problem
            for answer in self._scheduler.unusable
            if answer.session and answer.ask.axis == "same" and answer.ask.tree == "final"
        ]

    @property
    def _unheard(self) -> list[str]:
        """Why identical reruns show nothing but an exit code, where others show tests."""
        codes = self._ledger.unheard
        mixed = len(codes) < self._ledger.sessions
        return [f"no test was heard of, exit code {code}" for code in codes] if mixed else []

    def _control_records(self) -> Iterator[Control]:
        for tree, (ref, session) in sorted(self._controls.items()):
            yield judgement.control(tree, ref, session)

    def _records(self) -> Iterator[RunRecord]:
        for run, result in self._results:
            labels = self._scheduler.labels[run.id]
            yield judgement.run_record(self._lab, run, result, labels)

    def _all_notes(self) -> list[str]:
        notes = list(self._notes)
        if self._stopped:
            notes.append(self._stopped)
        if self._ledger.base_sessions == 0 and "base" in self._controls:
            problem = self._controls["base"][1].problem
            notes.append(f"the tests do not come to their end on the base tree: {problem}")
        return notes


def _unnamed(base: bool) -> classify.Judgement:
    why = "every test has another id each time: nothing can be said of them"
    return _nothing("inconclusive", why)._replace(outcome="unresolved" if base else None)


def _nothing(class_: TraceClass, why: str) -> classify.Judgement:
    return classify.Judgement(class_, None, why, (), (), (), ())
