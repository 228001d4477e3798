from __future__ import annotations

import pytest

from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.commandtext import Fit, Script, wanted
from traceproof.recorder.openjoins import AskedTool, Join, Place, in_order, tells
from traceproof.recorder.shell.command import CommandStart

SECOND = 1_000_000_000


def join(started: int = 0, pid: int = 7) -> Join:
    start = CommandStart("shell", "/bin/sh", ("sh", "-c", "ls"), "/", pid, started)
    return Join(start, Script("ls"), frozenset(), frozenset(), set(), "")


def tool(result: str = "") -> AskedTool:
    asked = wanted(ToolRequest("t1", "bash", '{"command":"ls"}'))
    return AskedTool(Place("s", ""), "t1", "c", asked, over=True, result=result)


def test_what_began_at_one_moment_is_in_order_of_its_process_ids() -> None:
    apart = [join(3 * SECOND, 1), join(1, 9), join(2, 8)]
    anew = [join(2, 30_000), join(1, 1), join(3, 2)]

    assert in_order(apart) == [apart[2], apart[1], apart[0]]
    assert in_order(anew) == [anew[1], anew[0], anew[2]]
    assert in_order([]) == []


@pytest.mark.parametrize(
    ("result", "outputs", "told"),
    [
        ("one\ntwo", ["one\n"], 1),
        ("one\ntwo", ["one\n", "two\n"], 1),
        ("one\ntwo", ["three\n"], -1),
        ("", ["one\n"], 0),
        ("one", ["", b"\xff"], 0),
    ],
)
def test_a_result_tells_of_what_was_written(
    result: str, outputs: list[str | bytes], told: int
) -> None:
    ended = join()
    ended.end(5, outputs)

    assert tells(tool(result), ended) == told


def test_how_well_a_command_fits_is_worked_out_once() -> None:
    waiting = join()

    assert waiting.fit_with(tool()) is waiting.fit_with(tool()) == (Fit.EQUAL, "ls")
    assert not waiting.is_sure
