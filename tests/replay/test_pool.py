from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from traceproof.replay.pool import Pool
from traceproof.replay.runs import Axis, Run, RunResult, Session
from traceproof.sandbox.errors import ImageFailed, SandboxError, SandboxUnavailable


def run(name: str, axis: Axis = "same") -> Run:
    return Run(id=name, tree="final", axis=axis, sessions=(Session(seed=0),))


class Script:
    """A planner that wants these runs, one after the other, and all of them."""

    def __init__(self, *runs: Run) -> None:
        self.left = list(runs)
        self.fed: list[str] = []

    @property
    def done(self) -> bool:
        return not self.left

    def next(self, free: int) -> Sequence[Run]:
        given, self.left = self.left[:free], self.left[free:]
        return given

    def feed(self, run: Run, _result: RunResult) -> None:
        self.fed.append(run.id)


class Heard:
    """Writes down what a pool tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def began(self, run: Run) -> None:
        self.lines.append(f"> {run.id}")

    def ended(self, run: Run, _result: RunResult) -> None:
        self.lines.append(f"< {run.id}")

    def again(self, run: Run, why: str) -> None:
        self.lines.append(f"! {run.id}: {why}")


def fine(run: Run) -> RunResult:
    return RunResult(run=run.id, sessions=())


def test_one_at_a_time_in_the_planners_order() -> None:
    planner, heard = Script(run("a"), run("b"), run("c")), Heard()

    assert Pool(planner, fine, heard, slots=1).drive()

    assert heard.lines == ["> a", "< a", "> b", "< b", "> c", "< c"]
    assert planner.fed == ["a", "b", "c"]


def test_as_many_at_a_time_as_there_are_slots() -> None:
    both = threading.Barrier(2)

    def meet(run: Run) -> RunResult:
        both.wait(60)
        return fine(run)

    planner, heard = Script(run("a"), run("b"), run("c"), run("d")), Heard()

    assert Pool(planner, meet, heard, slots=2).drive()

    assert sorted(planner.fed) == ["a", "b", "c", "d"]
    assert heard.lines[:2] == ["> a", "> b"]


@pytest.mark.parametrize("axis", ["load", "slow_cpu"])
def test_what_measures_load_runs_alone(axis: Axis) -> None:
    planner, heard = Script(run("a"), run("heavy", axis), run("b"), run("c")), Heard()

    assert Pool(planner, fine, heard, slots=3).drive()

    at = heard.lines.index("> heavy")
    assert heard.lines[:at] == ["> a", "< a"]
    assert heard.lines[at + 1] == "< heavy"


def failing(times: int, error: Exception) -> Callable[[Run], RunResult]:
    left = [times]

    def execute(run: Run) -> RunResult:
        if left[0]:
            left[0] -= 1
            raise error
        return fine(run)

    return execute


def test_a_box_that_fails_is_started_anew() -> None:
    planner, heard = Script(run("a")), Heard()

    assert Pool(planner, failing(2, SandboxError("gone")), heard, slots=1).drive()

    assert heard.lines == ["> a", "! a: gone", "> a", "! a: gone", "> a", "< a"]


def test_a_result_that_says_that_its_box_failed_counts_for_nothing() -> None:
    results = [RunResult(run="a", sessions=(), failure="gone"), fine(run("a"))]
    planner, heard = Script(run("a")), Heard()

    assert Pool(planner, lambda _: results.pop(0), heard, slots=1).drive()

    assert heard.lines == ["> a", "! a: gone", "> a", "< a"]
    assert planner.fed == ["a"]


@pytest.mark.parametrize(
    ("error", "times"),
    [(SandboxUnavailable("no engine"), 3), (ImageFailed("missing"), 1), (RuntimeError("bug"), 1)],
)
def test_a_box_that_cannot_be_had_is_an_error(error: Exception, times: int) -> None:
    planner, heard = Script(run("a")), Heard()

    with pytest.raises(type(error), match=str(error)):
        Pool(planner, failing(9, error), heard, slots=1).drive()

    assert heard.lines.count("> a") == times


def test_when_time_is_up_nothing_is_waited_for() -> None:
    free = threading.Event()

    def wait(run: Run) -> RunResult:
        free.wait(60)
        return fine(run)

    planner = Script(run("a"), run("b"))
    pool = Pool(planner, wait, Heard(), slots=1, seconds=0.05)

    assert not pool.drive()

    free.set()
    pool.join()
    assert (planner.fed, len(planner.left)) == ([], 1)


def test_time_that_is_up_between_two_runs_is_no_end_of_the_plan() -> None:
    class Slow(Script):
        def feed(self, run: Run, result: RunResult) -> None:
            super().feed(run, result)
            threading.Event().wait(0.3)

    planner = Slow(run("a"), run("b"))

    assert not Pool(planner, fine, Heard(), slots=1, seconds=0.25).drive()

    assert (planner.fed, len(planner.left)) == (["a"], 1)


def test_a_signal_that_comes_as_a_run_is_begun_stops_no_one_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(self: threading.Thread) -> None:
        started.append(self.name)
        if self.name == "b":
            raise KeyboardInterrupt
        begin(self)

    begin, started, ended = threading.Thread.start, list[str](), threading.Event()
    monkeypatch.setattr(threading.Thread, "start", start)

    def execute(run: Run) -> RunResult:
        ended.wait(60)
        return fine(run)

    pool = Pool(Script(run("a"), run("b")), execute, Heard(), slots=2)
    with pytest.raises(KeyboardInterrupt):
        pool.drive()
    ended.set()
    pool.join()

    assert started == ["a", "b"]
    assert not [thread for thread in threading.enumerate() if thread.name == "a"]
