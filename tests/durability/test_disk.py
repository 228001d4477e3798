"""A disk that is full, a store that cannot be written: the agent works on, and is told at the end.

The disks are real ones, mounted for the test.
"""

from __future__ import annotations

import random
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceproof.__main__ import run
from traceproof.proxy.testing import Say, ScriptedModel, Turn, Use
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader

FULL = "No space left on device"
PATIENCE = 10.0

New = Callable[..., Any]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A model that numbers its answers; each takes more than a recorder gives back at its end."""
    turns = [
        Turn([Say(f"answer {n}"), Say(random.Random(n).randbytes(20_000).hex()), Use("bash", {})])
        for n in range(100)
    ]
    with ScriptedModel(turns) as model:
        yield model


def said(number: int) -> dict[str, Any]:
    return {"status": 200, "said": f"answer {number}"}


def answers(trace: Path) -> list[str]:
    """Return the answers in a trace, those of calls in flight left out."""
    with TraceReader.open(trace) as reader:
        spans = [record.span for record in reader.records(inline=True) if not record.pending]
    messages = [str(span.attributes.get(semconv.OUTPUT_MESSAGES, "")) for span in spans]
    return [found for text in messages for found in re.findall(r"answer \d+", text)]


def until(done: Callable[[], bool]) -> None:
    """Wait for what another process does: there is no event to wait for but the file itself."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


# --- full in the middle ---------------------------------------------------------------------------


@pytest.fixture
def under_way(record: New, disk: New, model: ScriptedModel) -> Callable[..., tuple[Any, Any]]:
    """Give a recorder with a small disk for a store, and one call on that disk."""

    def under_way(*options: str, code: int = 0) -> tuple[Any, Any]:
        small = disk()
        recorder = record(model, *options, store=small.path / "store", code=code)
        recorder.started()
        assert recorder.ask() == said(0)
        until(lambda: answers(recorder.trace) == ["answer 0"])
        return recorder, small

    return under_way


@pytest.mark.parametrize(("code", "ends_with"), [(0, 3), (7, 7)])
def test_a_disk_that_fills_up_is_told_at_the_end_and_the_agent_works_on(
    under_way: New, code: int, ends_with: int
) -> None:
    recorder, small = under_way(code=code)

    small.fill()

    assert [recorder.ask() for _ in range(3)] == [said(1), said(2), said(3)]
    told = f"traceproof: {recorder.trace}: not all of the trace could be written: {FULL}"
    assert recorder.end() == (ends_with, [told])


def test_what_was_written_before_the_disk_was_full_is_readable(under_way: New) -> None:
    recorder, small = under_way()
    small.fill()
    recorder.ask()
    recorder.end()

    assert answers(recorder.trace) == ["answer 0"]
    assert run(["show", str(recorder.trace)]) == 0
    small.free()
    assert run(["repair", str(recorder.trace)]) == 0
    assert answers(recorder.trace) == ["answer 0"]


def test_repair_on_a_full_disk_says_so_and_leaves_the_trace_as_it_was(
    under_way: New, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder, small = under_way()
    small.fill()
    recorder.ask()
    recorder.end()
    small.fill()
    before = sorted(recorder.trace.parent.iterdir()), recorder.trace.read_bytes()

    assert run(["repair", str(recorder.trace)]) == 3

    assert capfd.readouterr() == ("", f"traceproof: {recorder.trace}: {FULL}\n")
    assert (sorted(recorder.trace.parent.iterdir()), recorder.trace.read_bytes()) == before


def test_nothing_is_lost_when_there_is_room_again_before_the_end(under_way: New) -> None:
    recorder, small = under_way()
    small.fill()
    assert [recorder.ask() for _ in range(3)] == [said(1), said(2), said(3)]

    small.free()

    assert recorder.ask() == said(4)
    assert recorder.end() == (0, [])
    assert answers(recorder.trace) == [f"answer {n}" for n in range(5)]
    with TraceReader.open(recorder.trace) as reader:
        assert reader.closed_properly


def test_with_on_failure_closed_calls_are_refused_as_long_as_the_disk_is_full(
    under_way: New, model: ScriptedModel
) -> None:
    recorder, small = under_way("--on-failure", "closed")
    small.fill()
    until(lambda: recorder.ask()["status"] == 503)
    asked = len(model.calls)

    told = "recording failed and --on-failure is closed, so the call was not made"
    assert recorder.ask() == {"status": 503, "error": f"traceproof: {told}"}
    assert len(model.calls) == asked

    small.free()
    until(lambda: recorder.ask()["status"] == 200)
    assert recorder.end() == (0, [])
    assert answers(recorder.trace) == [f"answer {n}" for n in range(asked + 1)]


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(record: New, model: ScriptedModel) -> None:
    recorder = record(model)
    recorder.started()
    assert recorder.ask() == said(0)
    until(lambda: answers(recorder.trace) == ["answer 0"])
    size = recorder.trace.stat().st_size
    resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, (size, -1))

    assert recorder.ask() == said(1)
    told = f"traceproof: {recorder.trace}: not all of the trace could be written: File too large"
    assert recorder.end() == (3, [told])
    assert answers(recorder.trace) == ["answer 0"]


def test_a_trace_that_was_removed_meanwhile_is_told(record: New, model: ScriptedModel) -> None:
    recorder = record(model)
    recorder.started()
    assert recorder.ask() == said(0)
    trace = recorder.trace
    shutil.rmtree(recorder.store)

    assert recorder.ask() == said(1)
    assert recorder.end() == (3, [f"traceproof: {trace}: the trace was removed meanwhile"])


# --- from the start -------------------------------------------------------------------------------


@pytest.fixture(
    params=["a full disk", "a read-only disk", "a file in its place", "a file above it"]
)
def unwritable(request: pytest.FixtureRequest, disk: New, tmp_path: Path) -> tuple[Path, str]:
    """A store that cannot be written, and what the system says of it."""
    if "disk" in request.param:
        small = disk()
        if "full" in request.param:
            small.fill()
            return small.path / "store", FULL
        small.protect()
        return small.path / "store", f"{small.path}/store: Read-only file system"
    file = tmp_path / "file"
    file.write_text("not a folder")
    if "above" in request.param:
        return file / "store", f"{file}/store: Not a directory"
    return file, f"{file}: File exists"


def test_an_agent_that_cannot_be_recorded_works_all_the_same(
    record: New, model: ScriptedModel, unwritable: tuple[Path, str]
) -> None:
    store, why = unwritable
    recorder = record(model, store=store, direct=True)
    recorder.started()

    assert [recorder.ask(), recorder.ask()] == [said(0), said(1)]
    code, (line,) = recorder.end()
    assert code == 3
    assert line.startswith("traceproof: nothing was recorded: ")
    assert line.endswith(why)


def test_with_on_failure_closed_it_is_not_started(
    record: New, model: ScriptedModel, unwritable: tuple[Path, str]
) -> None:
    store, why = unwritable
    recorder = record(model, "--on-failure", "closed", store=store, direct=True)

    assert recorder.rest() == []
    code, (line,) = recorder.end()
    assert code == 3
    assert line.startswith("traceproof: the agent was not started, for nothing can be recorded: ")
    assert line.endswith(why)


def test_a_recording_that_cannot_begin_leaves_nothing_behind(
    record: New, disk: New, model: ScriptedModel
) -> None:
    small = disk()
    small.fill()
    recorder = record(model, store=small.path / "store", direct=True)
    recorder.started()
    assert recorder.end().code == 3

    left = [path for path in (small.path / "store").rglob("*") if path.is_file()]
    assert left == [small.path / "store" / ".gitignore"]


@pytest.mark.parametrize("kilobytes", [8, 40, 300])
def test_a_disk_that_is_too_small_for_the_certificates_is_told_too(
    record: New, disk: New, model: ScriptedModel, kilobytes: int
) -> None:
    small = disk(f"{kilobytes}k")
    recorder = record(model, store=small.path / "store", direct=True)
    recorder.started()

    assert recorder.ask() == said(0)
    assert recorder.end() == (3, [f"traceproof: nothing was recorded: {FULL}"])
    assert not list((small.path / "store").rglob(".*-*"))  # no half-written file
