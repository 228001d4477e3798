from __future__ import annotations

import pytest

from traceproof.replay.asks import Answer, Ask, Job
from traceproof.replay.runs import Axis, Case, Conditions, Run, RunResult, Session, SessionResult
from traceproof.replay.scheduler import Scheduler


class Stage:
    """A scheduler, and what it was given and told."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.taken: list[str] = []
        self.now = 1000.0
        self.scheduler = Scheduler(
            lambda answer, _: self.taken.append(answer.ref), lambda _: seconds, lambda: self.now
        )

    def feed(
        self, run: Run, problem: str = "", failure: str = "", cases: tuple[Case, ...] = ()
    ) -> None:
        session = SessionResult(cases=cases, problem=problem)
        sessions = () if failure else (session,) * len(run.sessions)
        self.scheduler.feed(run, RunResult(run=run.id, sessions=sessions, failure=failure))


def ask(label: str, conditions: Conditions = Conditions(), **more: object) -> Ask:  # noqa: B008
    return Ask(Session(seed=1), label, conditions=conditions, **more)  # type: ignore[arg-type]


def test_sessions_share_as_many_boxes_as_there_are_places() -> None:
    stage = Stage()
    stage.scheduler.ask([ask(f"{k}") for k in range(20)])

    runs = stage.scheduler.next(2)

    assert [run.id for run in runs] == ["final/probe/1", "final/probe/2"]
    assert [len(run.sessions) for run in runs] == [10, 10]
    assert stage.scheduler.labels["final/probe/2"] == tuple(map(str, range(10, 20)))
    assert stage.scheduler.next(0) == []


def test_no_more_than_sixteen_share_a_box_and_long_ones_fewer() -> None:
    stage, slow = Stage(), Stage(seconds=50)
    for one in (stage, slow):
        one.scheduler.ask([ask(f"{k}") for k in range(20)])

    assert [len(run.sessions) for run in stage.scheduler.next(1)] == [16]
    assert [len(run.sessions) for run in slow.scheduler.next(1)] == [2]


def test_other_conditions_are_another_box_and_so_is_a_named_one() -> None:
    stage = Stage()
    here = Conditions(hash_seed=3)
    stage.scheduler.ask([ask("a"), ask("b", here), ask("c", box="1"), ask("d", box="1"), ask("e")])

    runs = stage.scheduler.next(9)

    assert [run.conditions.hash_seed for run in runs] == [0, 3, 0, 0]
    assert [stage.scheduler.labels[run.id] for run in runs] == [("a",), ("b",), ("c", "d"), ("e",)]


def test_what_must_run_alone_waits_for_the_others_and_they_for_it() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("loaded", Conditions(load=4)), ask("a")])

    (first,) = stage.scheduler.next(4)
    assert not first.conditions.load
    assert stage.scheduler.next(4) == []
    stage.feed(first)
    (second,) = stage.scheduler.next(4)
    assert second.conditions.load == 4
    stage.scheduler.ask([ask("b")])
    assert stage.scheduler.next(4) == []
    stage.feed(second)
    assert len(stage.scheduler.next(4)) == 1


def test_a_job_is_sent_its_answers_in_the_order_of_its_asks() -> None:
    stage = Stage()
    heard: list[list[str]] = []

    def job() -> Job:
        answers = yield [ask("a"), ask("b", Conditions(hash_seed=1))]
        heard.append([answer.ask.label for answer in answers])
        answers = yield [ask("c")]
        heard.append([answer.ask.label for answer in answers])

    stage.scheduler.start(job())
    one, other = stage.scheduler.next(2)
    stage.feed(other)
    assert heard == []
    stage.feed(one)
    assert heard == [["a", "b"]]
    (third,) = stage.scheduler.next(2)
    stage.feed(third)
    assert heard == [["a", "b"], ["c"]]
    assert stage.scheduler.idle


def test_a_job_that_asks_for_nothing_goes_on() -> None:
    stage = Stage()
    heard: list[list[Answer]] = []

    def job() -> Job:
        heard.append((yield []))
        heard.append((yield []))

    stage.scheduler.start(job())

    assert heard == [[], []]
    assert stage.scheduler.idle


def test_a_session_that_does_not_end_is_run_again_and_counts_for_nothing() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("a", tries=2)])

    for _ in range(2):
        (run,) = stage.scheduler.next(1)
        stage.feed(run, problem="killed by signal 11")

    assert stage.scheduler.idle
    assert stage.taken == []
    assert [answer.ref for answer in stage.scheduler.unusable] == [
        "final/probe/1#0",
        "final/probe/2#0",
    ]


def test_a_rerun_that_hangs_is_tried_once_more() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("as is", axis="same", tries=3)])

    for _ in range(2):
        (run,) = stage.scheduler.next(1)
        stage.feed(run, problem="timed out after 1800 s")

    assert stage.scheduler.idle


def test_a_perturbed_session_that_hangs_is_not_waited_for_again() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("reverse"), ask("as is", axis="same")])

    for run in stage.scheduler.next(2):
        stage.feed(run, problem="timed out after 900 s")

    assert [run.axis for run in stage.scheduler.next(2)] == ["same"]


@pytest.mark.parametrize(
    ("axis", "problem", "counts"),
    [
        ("order", "internal error: IndexError", True),
        ("order", "timed out after 900 s", True),
        ("probe", "killed by signal 11 during a.py::test_2", True),
        ("order", "forged: a line on the channel that is not of the plugin", False),
        ("order", "contradiction: 1 executions came, the end says 0", False),
        ("same", "internal error: IndexError", False),
    ],
)
def test_what_a_perturbed_session_told_before_it_broke_off_counts(
    axis: Axis, problem: str, counts: bool
) -> None:
    stage, heard = Stage(), list[Answer]()

    def job() -> Job:
        heard.extend((yield [ask("a", axis=axis, tries=1)]))

    stage.scheduler.start(job())
    (run,) = stage.scheduler.next(1)
    stage.feed(run, problem, cases=(Case(test="a.py::test_1", outcome="failed"),))

    assert (stage.taken == [f"final/{axis}/1#0"]) is counts
    assert (heard[0].session is not None) is counts
    assert len(stage.scheduler.partial) == counts
    assert len(stage.scheduler.unusable) == 1 - counts


def test_a_box_that_fails_is_run_again_and_then_given_up() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("a")])

    for _ in range(3):
        (run,) = stage.scheduler.next(1)
        assert run.id == "final/probe/1"
        stage.feed(run, failure="the engine went away")

    assert stage.scheduler.failure == "the engine went away"
    assert stage.scheduler.next(1) == []
    assert stage.scheduler.idle


def test_a_moment_is_made_an_offset_when_the_run_starts() -> None:
    stage = Stage()
    stage.scheduler.ask([ask("noon", moment=5000.0)])
    stage.now = 1200.0

    (run,) = stage.scheduler.next(1)

    assert run.conditions.clock == 3800.0


def test_what_is_dropped_is_not_run_and_its_job_ended() -> None:
    stage = Stage()
    ended = []

    def job() -> Job:
        try:
            yield [ask("a")]
        finally:
            ended.append(True)

    stage.scheduler.start(job())
    stage.scheduler.drop()

    assert ended == [True]
    assert stage.scheduler.next(1) == []


def test_a_run_that_is_not_out() -> None:
    with pytest.raises(ValueError, match="no such run"):
        Stage().scheduler.feed(
            Run(id="x", tree="final", axis="same", sessions=()), RunResult(run="x", sessions=())
        )
