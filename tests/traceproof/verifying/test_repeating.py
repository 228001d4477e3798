from __future__ import annotations

from traceproof.replay.runs import Conditions, Run, RunResult, Session, SessionResult
from traceproof.replay.runsfile import Entry
from traceproof.verifying.repeating import at_the_same_time, session_of

DAY = 86400.0
RUN = Run(
    id="final/clock/1",
    tree="final",
    axis="clock",
    conditions=Conditions(clock=190 * DAY),
    sessions=(Session(seed=1), Session(seed=2), Session(seed=3)),
)


def test_a_clock_that_was_put_shows_what_it_showed_then() -> None:
    again = at_the_same_time(RUN, started=1000.0, now=1000.0 + 3 * DAY)

    assert again.conditions.clock == 187 * DAY
    assert again.sessions == RUN.sessions


def test_a_clock_that_was_not_put_is_left_alone() -> None:
    plain = Run(id="x", tree="final", axis="order", sessions=RUN.sessions)

    assert at_the_same_time(plain, started=1000.0, now=5000.0) is plain


def test_a_session_alone_begins_when_it_began() -> None:
    sessions = tuple(SessionResult(cases=(), seconds=seconds) for seconds in (10.0, 20.0, 40.0))
    entry = Entry(RUN, RunResult(run=RUN.id, sessions=sessions, started=1000.0))

    one = session_of(entry, "final/clock/1#2")

    assert one.run.sessions == (Session(seed=3),)
    assert (one.result.started, one.result.sessions) == (1030.0, sessions[2:])
