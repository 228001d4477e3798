from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from support.workspace import Observed, Project
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Attributes, Span, new_span_id
from traceproof.replay.steps.facts import Command
from traceproof.replaying.reading import Facts, masked_names, read
from traceproof.workspaces import Workspaces

SECOND = 1_000_000_000
CALL = {"command": "make test"}
WRAPPED = {
    "claude": "source /x/s.sh || true && eval 'make test' < /dev/null && pwd -P >| /x/cwd",
    "codex": "A=1\nif . '/x/snap'; then :; fi\nexec '/bin/bash' -c 'make test'",
    "gemini": "_f=/x/y\n(\n  trap 'jobs -p > \"$_f\"' EXIT\nmake test\n)\n__code=$?\nexit $__code",
    "mini": "make test",
}


@pytest.fixture(name="observed")
def _observed(tmp_path: Path) -> Observed:
    work = Project(tmp_path / "work")
    work.write("a.py")
    work.commit()
    return Observed(work)


def span(observed: Observed, parent: str, script: str, **told: Any) -> Span:
    now = time.time_ns()
    attributes: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: "bash",
        semconv.PROCESS_EXECUTABLE_PATH: "/usr/bin/bash",
        semconv.PROCESS_COMMAND_ARGS: ["/bin/bash", "-c", script],
        semconv.COMMAND_SCRIPT: script,
        semconv.COMMAND_FOR: "tool" if parent else "agent",
        **told,
    }
    made = Span(
        observed.root.trace_id, new_span_id(), "bash", parent_id=parent or observed.root.span_id,
        start=now, end=now + 1, attributes=attributes,
    )  # fmt: skip
    observed.writer.span(made)
    return made


def facts(observed: Observed) -> Facts:
    with TraceReader.open(observed.close()) as reader:
        return read(reader, Workspaces(reader))


def one(observed: Observed, script: str, **told: Any) -> Command:
    """Read back a tool call's only command."""
    tool = observed.call("Bash", CALL)
    tool.span.attributes[semconv.TOOL_CALL_ARGUMENTS] = json.dumps(CALL)
    observed.answers(tool)
    span(observed, tool.span.span_id, script, **told)
    observed.ends(tool)
    (found,) = facts(observed).commands
    return found


@pytest.mark.parametrize("agent", WRAPPED)
def test_the_calls_command_without_the_wrapper(observed: Observed, agent: str) -> None:
    found = one(observed, WRAPPED[agent])

    assert (found.text, found.shell) == ("make test", "/bin/bash")


def test_what_no_call_asked_for_is_the_agents_own(observed: Observed) -> None:
    span(observed, "", "uname -a")

    found = facts(observed)

    assert (found.alone, found.commands[0].tool) == (1, "")


def test_a_script_file_is_its_arguments(observed: Observed) -> None:
    found = one(observed, "", **{semconv.PROCESS_COMMAND_ARGS: ["/bin/sh", "/x/run.sh", "-a"]})

    assert (found.text, found.argv) == ("", ("/bin/sh", "/x/run.sh", "-a"))


def test_outputs_as_they_were_recorded(observed: Observed) -> None:
    found = one(observed, "make test", **{
        semconv.COMMAND_STDOUT: b"\xff\n", semconv.COMMAND_STDERR: "", semconv.COMMAND_LOST: 3,
        semconv.COMMAND_STREAMS: {"stdout": "tty"}, semconv.PROCESS_PID: 4711,
        semconv.PROCESS_PARENT_PID: 1, semconv.PROCESS_EXIT_CODE: 2,
    })  # fmt: skip

    assert found.outputs == {"stdout": "\udcff\n", "stderr": ""}
    assert (found.lost, found.terminal, found.pids) == (3, True, frozenset({4711}))
    assert (found.exit_code, found.state) == (2, "ended")


def test_what_outlived_its_call_went_on_in_the_background(observed: Observed) -> None:
    assert one(observed, "make test", **{semconv.COMMAND_OUTLIVED: True}).background


def test_changes_with_who_made_them(observed: Observed) -> None:
    work = observed.project
    observed.step(lambda: work.write("b.py"), "Edit", file_path="b.py")

    (change,) = facts(observed).changes

    assert [path for path, _ in change.rows] == [b"b.py"]
    assert (change.number, change.name) == (1, "Edit")
    assert change.owners


def test_variables_for_masks_are_those_of_secrets_alone() -> None:
    text = "<SECRET:GITHUB_TOKEN> <SECRET:LD_PRELOAD> <SECRET:.env> <SECRET:api_key>"
    command = Command(span_id="c", text="env", outputs={"stdout": text})

    assert masked_names([command]) == {"GITHUB_TOKEN": "<SECRET:GITHUB_TOKEN>"}
