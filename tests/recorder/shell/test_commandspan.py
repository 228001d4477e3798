from __future__ import annotations

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.shell.command import CommandEnd, CommandStart, Output
from traceproof.recorder.shell.commandspan import INLINE, command_span, finish, so_far
from traceproof.recorder.span import Span, SpanKind, StatusCode

SECOND = 1_000_000_000


class Texts:
    """Stores texts as a writer does."""

    def __init__(self) -> None:
        self.stored: list[str] = []

    def __call__(self, value: str) -> str:
        self.stored.append(value)
        return f"text:{len(self.stored)}"


def start(script: str = "make test") -> CommandStart:
    return CommandStart(
        hook="shell",
        executable="/usr/bin/bash",
        args=("bash", "-c", script),
        cwd="/srv",
        pid=12,
        ppid=11,
        sid=10,
        pgid=12,
        started=5 * SECOND,
        environment={"TRACEPARENT": "00-aa-bb-01"},
        streams={"stdin": "null", "stdout": "pipe", "stderr": "pipe"},
    )


def span(script: str = "make test") -> Span:
    return command_span(start(script), Texts(), trace_id="a" * 32, parent_id="b" * 16)


def test_a_command_that_begins() -> None:
    made = span()

    assert (made.name, made.kind, made.parent_id) == ("bash", SpanKind.INTERNAL, "b" * 16)
    assert (made.start, made.end) == (5 * SECOND, 0)
    assert made.attributes == {
        "process.executable.name": "bash",
        "process.executable.path": "/usr/bin/bash",
        "process.command_args": ("bash", "-c", "make test"),
        "process.working_directory": "/srv",
        "process.pid": 12,
        "process.parent_pid": 11,
        "process.session_leader.pid": 10,
        "process.group_leader.pid": 12,
        "traceproof.command.hook": "shell",
        "traceproof.command.script": "make test",
        "traceproof.command.streams": {"stdin": "null", "stdout": "pipe", "stderr": "pipe"},
        "traceproof.command.environment": {"TRACEPARENT": "00-aa-bb-01"},
    }


def test_a_long_script_is_in_a_blob_and_so_are_the_arguments_that_hold_it() -> None:
    texts, script = Texts(), "x" * (INLINE + 1)

    made = command_span(start(script), texts, trace_id="a" * 32, parent_id="")

    assert texts.stored == [f'["bash","-c","{script}"]', script]
    assert made.attributes["traceproof.ref.process.command_args"] == "text:1"
    assert made.attributes["traceproof.ref.traceproof.command.script"] == "text:2"
    assert semconv.COMMAND_SCRIPT not in made.attributes


def test_a_command_that_went_well() -> None:
    made = span()

    end = CommandEnd(
        ended=7 * SECOND,
        exit_code=0,
        user_seconds=0.0,
        system_seconds=0.25,
        max_rss_bytes=4096,
        outputs={
            "stdout": Output(value="2 passed\n", size=9, chunks="[1,9]"),
            "stderr": Output(),
        },
    )
    before = dict(made.attributes)
    finish(made, end)

    assert (made.end, made.status) == (7 * SECOND, StatusCode.UNSET)
    assert made.attributes == before | {
        "traceproof.command.state": "ended",
        "process.exit.code": 0,
        "traceproof.command.cpu.user": 0.0,
        "traceproof.command.cpu.system": 0.25,
        "traceproof.command.memory.peak": 4096,
        "traceproof.command.stdout": "2 passed\n",
        "traceproof.command.stdout.size": 9,
        "traceproof.command.stdout.chunks": "[1,9]",
        "traceproof.command.stderr": "",
        "traceproof.command.stderr.size": 0,
    }


@pytest.mark.parametrize(
    ("end", "error"),
    [(CommandEnd(ended=1, exit_code=2), "2"), (CommandEnd(ended=1, signal="SIGKILL"), "SIGKILL")],
)
def test_a_command_that_failed_is_an_error(end: CommandEnd, error: str) -> None:
    made = span()

    finish(made, end)

    assert made.status is StatusCode.ERROR
    assert made.attributes[semconv.ERROR_TYPE] == error
    assert (semconv.PROCESS_EXIT_CODE in made.attributes) == (not end.signal)


def test_a_command_whose_end_is_not_known_is_no_error() -> None:
    made = span()

    finish(made, CommandEnd(ended=1, state="cut", fault="the shim has gone", lost=3))

    assert made.status is StatusCode.UNSET
    assert made.end == made.start  # a clock that was set back must not turn a span round
    assert semconv.PROCESS_EXIT_CODE not in made.attributes
    assert made.attributes[semconv.COMMAND_STATE] == "cut"
    assert made.attributes[semconv.COMMAND_FAULT] == "the shim has gone"
    assert made.attributes[semconv.COMMAND_LOST] == 3


def test_a_command_on_its_way_is_put_on_record_and_goes_on() -> None:
    made = span()
    output = Output(ref="concat:1", size=1 << 20, chunks_ref="text:2")

    pending = so_far(made, CommandEnd(outputs={"output": output}))

    assert (pending.span_id, pending.end) == (made.span_id, 0)
    assert pending.attributes[semconv.COMMAND_STATE] == "pending"
    assert pending.attributes["traceproof.ref.traceproof.command.output"] == "concat:1"
    assert pending.attributes["traceproof.ref.traceproof.command.output.chunks"] == "text:2"
    assert semconv.COMMAND_STATE not in made.attributes
    assert made.end == 0
