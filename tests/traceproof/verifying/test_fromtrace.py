from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.workspace import Observed, Project
from traceproof.recorder import semconv
from traceproof.recorder.span import Event, Span, new_span_id
from traceproof.recorder.task import Type
from traceproof.verifying.asked import About
from traceproof.verifying.gathering import gather
from traceproof.verifying.subject import PLACE, Subject, place_of


def ran(observed: Observed, script: str, cases: int, folder: str = "") -> None:
    """Play a command that runs tests."""
    trace, now = observed.root.trace_id, time.time_ns()
    command = Span(
        trace, new_span_id(), "bash", parent_id=observed.root.span_id, start=now, end=now,
        attributes={
            semconv.OPERATION_NAME: "shell_command",
            semconv.COMMAND_SCRIPT: script,
            semconv.PROCESS_WORKING_DIRECTORY: folder or str(observed.project.folder),
        },
    )  # fmt: skip
    events = [
        Event(semconv.TEST_CASE, now, {semconv.TEST_CASE_NAME: str(number)})
        for number in range(cases)
    ]
    run = Span(
        trace, new_span_id(), "test pytest", parent_id=command.span_id, start=now, end=now,
        attributes={semconv.TEST_SUITE_NAME: "pytest"}, events=events,
    )  # fmt: skip
    observed.writer.span(run)
    observed.writer.span(command)


@pytest.fixture(name="observed")
def _observed(work: Project) -> Observed:
    return Observed(work)


def subject(trace: Path, scratch: Path, stack: ExitStack) -> Subject:
    return gather(About(trace=str(trace)), scratch, scratch, stack)


def test_the_widest_run_of_tests_is_taken(
    observed: Observed, scratch: Path, stack: ExitStack
) -> None:
    ran(observed, "pytest -x -q | tail", 12)
    ran(observed, "cd sub && python3 -m pytest", 12)
    ran(observed, "pytest test_a.py::test_double", 1)

    found = subject(observed.close(), scratch, stack)

    assert str(found.tests) == "cd sub && python -m pytest"


def test_tests_of_another_folder_do_not_count(
    observed: Observed, scratch: Path, stack: ExitStack
) -> None:
    ran(observed, "pytest", 12, folder="/elsewhere")

    assert subject(observed.close(), scratch, stack).tests is None


def test_what_the_trace_says_of_the_task(
    observed: Observed, scratch: Path, stack: ExitStack
) -> None:
    observed.root.attributes[semconv.TASK_TYPE] = "refactoring"

    found = subject(observed.close(), scratch, stack)

    assert found.task_type is Type.REFACTORING
    assert not found.has_before
    assert found.date.tzinfo is not None


@pytest.mark.parametrize(
    "root", ["/home/ada/project", "/tmp/x/y", "/roo" + "t/project", "/workspace", "/srv/a b/c"]
)
def test_a_workspace_is_where_it_was(root: str) -> None:
    assert place_of(root) == root


@pytest.mark.parametrize(
    "root",
    ["", "/", "relative", "/tmp", "/root", "/home", "/etc/x", "/usr/src/x", "/proc/1", "/a/../etc",
     "/traceproof/private", "/a\nb", "/a:b", "/dev/shm/x", "/a//b"],
)  # fmt: skip
def test_a_place_that_a_box_cannot_give(root: str) -> None:
    assert place_of(root) == PLACE


def test_a_recorded_url_is_told_without_credentials(
    observed: Observed, scratch: Path, stack: ExitStack
) -> None:
    url = "https://ada:4f9Kq2Zr7Lw1@git.test/a/b.git"
    observed.root.attributes[semconv.VCS_URL] = url

    assert subject(observed.close(), scratch, stack).origin.repository == "https://git.test/a/b.git"
