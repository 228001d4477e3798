from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from traceproof.replay.boxes import Boxes
from traceproof.replay.options import Options, Plan
from traceproof.replay.runs import Case, Run, RunResult, SessionResult
from traceproof.replay.runsfile import RunsFile, RunsWriter
from traceproof.replay.verification import Verification
from traceproof.replay.verify import drive
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import Image, Setting

FEW = Options(runs=3, max_flake_rate=0.7, base=False, axes=())


class Empty:
    """A sandbox whose boxes are nothing but there."""

    name, isolation = "local", "process"

    def __init__(self) -> None:
        self.gone = threading.Event()

    @contextmanager
    def start(self, *_: Any) -> Iterator[Any]:
        yield self

    def destroy(self) -> None:
        self.gone.set()


class Heard:
    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.runs: list[str] = []

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def began(self, run: Run) -> None:
        self.runs.append(f"> {run.id}")

    def ended(self, run: Run, _result: RunResult) -> None:
        self.runs.append(f"< {run.id}")

    def again(self, run: Run, why: str) -> None:
        self.runs.append(f"! {run.id}: {why}")


def passed(run: Run) -> RunResult:
    case = Case(test="t::a", outcome="passed")
    session = SessionResult(cases=(case,), collected=("t::a",), exit_code=0)
    return RunResult(run=run.id, sessions=(session,) * len(run.sessions), seconds=0.1)


def begin(tmp_path: Path) -> RunsWriter:
    return RunsWriter(tmp_path / "a", {})


def test_to_the_end(tmp_path: Path) -> None:
    verification, heard = Verification(FEW), Heard()

    with begin(tmp_path) as runs:
        drive(verification, passed, Boxes(Empty()), runs, heard, jobs=2)  # type: ignore[arg-type]
        runs.keep()

    assert verification.verdict().class_ == "steady"
    assert [plan.sessions for plan in heard.plans] == [3]
    assert sorted(heard.runs) == sorted(
        f"{mark} final/same/{number}" for mark in "<>" for number in (1, 2, 3)
    )
    with RunsFile(tmp_path / "a") as stored:
        assert len(list(stored.entries())) == 3


def test_what_runs_when_time_is_up_is_ended(tmp_path: Path) -> None:
    sandbox = Empty()
    boxes, verification = Boxes(sandbox), Verification(FEW)  # type: ignore[arg-type]

    def until_destroyed(run: Run) -> RunResult:
        with boxes.start(Image(id="", workspace="/w"), Setting()):
            assert sandbox.gone.wait(60)
        return passed(run)

    with begin(tmp_path) as runs:
        drive(verification, until_destroyed, boxes, runs, Heard(), jobs=1, seconds=0.05)

    assert sandbox.gone.is_set()
    assert verification.verdict().class_ == "inconclusive"


def test_an_environment_that_fails_is_an_error(tmp_path: Path) -> None:
    def fails(_run: Run) -> RunResult:
        raise SandboxError("the engine is gone")

    heard = Heard()
    with begin(tmp_path) as runs, pytest.raises(SandboxError, match="the engine is gone"):
        drive(Verification(FEW), fails, Boxes(Empty()), runs, heard, jobs=1)  # type: ignore[arg-type]

    assert heard.runs.count("! final/same/1: the engine is gone") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    sandbox = Empty()

    with begin(tmp_path) as runs:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, runs._fd)
        os.close(full)
        with pytest.raises(OSError, match="No space left") as failed:
            drive(Verification(FEW), passed, Boxes(sandbox), runs, Heard(), jobs=1)  # type: ignore[arg-type]

    assert failed.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
