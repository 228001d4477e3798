"""A worker with shell commands for tasks; signals reach it as they would its process."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from support.tasks import Script
from traceproof.worker import notes
from traceproof.worker.notes import Note

Work = Callable[..., int]

LIST = 'echo "$1" >>"$(dirname "$1")/../list"; '


def listed(traces: list[Path]) -> list[str]:
    path = traces[0].parent.parent / "list"
    return path.read_text().splitlines() if path.exists() else []


def state(trace: Path) -> str:
    note = notes.read(trace, "try")
    return note.state if note else ""


def test_each_trace_is_done_once_oldest_first(work: Work, traces: list[Path]) -> None:
    assert work(LIST) == 0
    assert work(LIST) == 0

    assert listed(traces) == [str(trace) for trace in traces]
    assert [state(trace) for trace in traces] == ["done"] * 3


def test_it_says_what_it_does_in_plain_lines(
    work: Work, traces: list[Path], said: list[str]
) -> None:
    work("exit 1")

    assert said[0] == f"try: at work on {traces[0].parent}"
    assert said[1:3] == [
        f"try: {traces[0].name}",
        f"try: {traces[0].name}: the answer is no, 0 s",
    ]
    assert said[-1] == "try: 3 done, 0 that cannot be, 0 failures of the environment; ended"


def test_what_has_changed_is_done_again(work: Work, traces: list[Path]) -> None:
    work(LIST)
    os.utime(traces[1], ns=(1, 1))

    work(LIST)

    assert listed(traces)[3:] == [str(traces[1])]


def test_what_is_there_already_is_not_done(work: Work, traces: list[Path]) -> None:
    task = Script(LIST)
    task.there = True

    assert work(task) == 0
    assert listed(traces) == []


def test_a_trace_that_is_being_recorded_is_left_alone(work: Work, traces: list[Path]) -> None:
    with traces[0].open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        work(LIST)

    assert listed(traces) == [str(trace) for trace in traces[1:]]


def test_wrong_input_is_noted_with_its_reason_and_not_tried_again(
    work: Work, traces: list[Path], said: list[str]
) -> None:
    line = LIST + "echo 'traceproof: no snapshots' >&2; exit 2"

    assert (work(line), work(line)) == (0, 0)

    note = notes.read(traces[0], "try")
    assert note is not None
    assert (note.state, note.why) == ("refused", "no snapshots")
    assert len(listed(traces)) == 3
    assert f"try: {traces[0].name}: cannot be: no snapshots" in said


def test_what_is_wrong_beside_a_trace_is_wrong_input(work: Work, traces: list[Path]) -> None:
    assert work("") == 0

    note = notes.read(traces[0], "try")
    assert note is not None
    assert (note.state, note.why) == ("refused", "what is beside it is wrong")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("echo 'traceproof: no engine' >&2; exit 3", "no engine"),
        ("echo 'it fell' >&2; exit 7", "it ended with 7: it fell"),
        ("kill -KILL $$", "it ended with -9"),
    ],
)
def test_a_failed_environment_is_tried_again_when_its_time_has_come(
    work: Work, traces: list[Path], line: str, why: str
) -> None:
    for trace in traces[1:]:
        trace.unlink()

    assert work(LIST + line) == 3
    assert work(LIST + line) == 0  # not yet
    first = notes.read(traces[0], "try")
    assert first is not None
    assert (first.state, first.why, first.tries) == ("failed", why, 1)

    notes.write(traces[0], "try", msgspec.structs.replace(first, at=first.at - 3600))
    assert work(LIST + line) == 3
    second = notes.read(traces[0], "try")
    assert second is not None
    assert second.tries == 2

    notes.write(traces[0], "try", msgspec.structs.replace(second, at=second.at - 3600))
    assert work(LIST) == 0
    assert (len(listed(traces)), state(traces[0])) == (3, "done")


def test_one_that_always_fails_is_left_alone_in_the_end(
    work: Work, traces: list[Path], said: list[str]
) -> None:
    seen = Script("x").seen(traces[0])
    note = Note(state="failed", seen=seen, tries=notes.MOST - 1, at=0.0)
    notes.write(traces[0], "try", note)

    assert work("exit 3") == 3

    assert f"try: {traces[0].name}: left alone after 8 tries" in said


def test_what_a_killed_worker_was_at_is_tried_again_after_a_while(
    work: Work, traces: list[Path]
) -> None:
    seen = Script("x").seen(traces[0])
    note = Note(state="begun", seen=seen, tries=1, at=0.0)
    notes.write(traces[0], "try", note)

    assert work(LIST) == 0
    assert listed(traces)[0] == str(traces[0])


def test_a_signal_ends_it_and_the_trace_under_way_begins_anew(
    work: Work, traces: list[Path], said: list[str]
) -> None:
    assert work("kill -TERM $PPID; sleep 60", once=False) == 0

    assert [state(trace) for trace in traces] == ["", "", ""]
    assert f"try: {traces[0].name}: stopped, to be begun anew" in said
    assert work(LIST) == 0
    assert len(listed(traces)) == 3


def test_a_trace_that_ends_within_the_grace_is_done(work: Work, traces: list[Path]) -> None:
    assert work("kill -TERM $PPID; sleep 0.2", once=False, grace=20) == 0

    assert [state(trace) for trace in traces] == ["done", "", ""]


def test_after_a_failure_it_rests_and_a_signal_ends_that_at_once(
    work: Work, traces: list[Path]
) -> None:
    def say(line: str) -> None:
        if line == "try: resting for 5 s":
            os.kill(os.getpid(), signal.SIGTERM)

    assert work("exit 3", once=False, say=say) == 0

    assert [state(trace) for trace in traces] == ["failed", "", ""]


def test_a_trace_that_is_removed_meanwhile_is_no_failure(work: Work, traces: list[Path]) -> None:
    assert work(f"rm {traces[1]}; exit 0") == 0

    assert [state(traces[0]), state(traces[2])] == ["done", "done"]


def test_a_store_that_takes_nothing_is_an_error(work: Work, traces: list[Path]) -> None:
    draft = traces[0].with_name(f".{notes.path_of(traces[0], 'try').name}.draft")
    draft.mkdir()

    with pytest.raises(OSError, match="draft"):
        work(LIST)
