from __future__ import annotations

import json
from pathlib import Path

from support import made as story
from traceproof import Command, TestCase, open_trace
from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Link, Span
from traceproof.recorder.writer import TraceWriter

ROOT, CHAT, TOOL, PART, RAN, SUITE, OWN = (f"{number:016x}" for number in range(1, 8))


def write(path: Path) -> Path:
    writer = TraceWriter(path, resource={})

    def add(span_id: str, name: str, parent: str, attributes: Attributes) -> Span:
        span = Span(story.TRACE, span_id, name, parent_id=parent, start=int(span_id, 16))
        span.end, span.attributes = span.start + 10**9, attributes
        return span

    tool: Attributes = {semconv.OPERATION_NAME: "execute_tool", semconv.TOOL_NAME: "Bash"}
    asked = add(TOOL, "execute_tool Bash", ROOT, tool)
    asked.links = [Link(story.TRACE, CHAT, {semconv.LINK_TYPE: "requested_by"})]
    ran: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: "bash",
        semconv.REF + semconv.PROCESS_COMMAND_ARGS: writer.text(json.dumps(["bash", "-c", "make"])),
        semconv.REF + semconv.COMMAND_SCRIPT: writer.text("make"),
        semconv.PROCESS_WORKING_DIRECTORY: "/w",
        semconv.PROCESS_EXIT_CODE: 2,
        semconv.COMMAND_STDOUT: "",
        semconv.REF + semconv.COMMAND_STDERR: writer.blob(b"\xffno\n"),
        semconv.COMMAND_FOR: "tool",
        semconv.JOIN: "exact",
        semconv.COMMAND_OUTLIVED: True,
    }
    suite = add(SUITE, "test pytest", RAN, {semconv.TEST_SUITE_NAME: "pytest"})
    suite.attributes[semconv.TEST_RUN_STATUS] = "failure"
    suite.attributes[semconv.TEST_COUNT + "failed"] = 1
    suite.attributes[semconv.TEST_SOURCE] = "plugin"
    case: Attributes = {semconv.TEST_CASE_NAME: "t.py::a", semconv.TEST_CASE_OUTCOME: "failed"}
    suite.events = [Event(semconv.TEST_CASE, 0, case), Event("another", 0, {})]
    killed: Attributes = {
        semconv.PROCESS_EXECUTABLE_NAME: "sh",
        semconv.PROCESS_COMMAND_ARGS: ["sh", "-c", "git status"],
        semconv.COMMAND_SIGNAL: "SIGKILL",
        semconv.COMMAND_OUTPUT: "both",
        semconv.COMMAND_MERGED: True,
        semconv.COMMAND_FOR: "agent",
    }
    chat: Attributes = {semconv.OPERATION_NAME: "chat", semconv.CALL_STATE: "complete"}
    for span in (
        add(CHAT, "chat m", ROOT, chat),
        asked,
        add(PART, "execute_tool add", TOOL, {**tool, semconv.MCP_METHOD: "tools/call"}),
        add(RAN, "bash", TOOL, ran),
        suite,
        add(OWN, "sh", ROOT, killed),
        add(ROOT, "invoke_agent a", "", {semconv.OPERATION_NAME: "invoke_agent"}),
    ):
        writer.span(span)
    writer.close()
    return writer.path


def test_a_tool_call_has_the_commands_that_ran_for_it(tmp_path: Path) -> None:
    with open_trace(write(tmp_path / "trace.zst")) as trace:
        (turn,) = trace.turns()
        (call,) = turn.tool_calls
        (command,) = call.commands
        assert isinstance(command, Command)
        assert (command.executable, command.args, command.script, command.cwd) == (
            "bash",
            ["bash", "-c", "make"],
            "make",
            "/w",
        )
        assert (command.exit_code, command.signal, command.duration) == (2, "", 1.0)
        assert (command.stdout, command.stderr, command.output) == ("", "\ufffdno\n", None)
        assert command.bytes_of(semconv.COMMAND_STDERR) == b"\xffno\n"
        assert (command.by, command.join, command.outlived, command.merged) == (
            "tool",
            "exact",
            True,
            False,
        )


def test_an_agents_own_commands_are_apart(tmp_path: Path) -> None:
    with open_trace(write(tmp_path / "trace.zst")) as trace:
        (own,) = trace.agent.own_commands
        assert (own.exit_code, own.signal, own.by, own.join) == (None, "SIGKILL", "agent", "")
        assert (own.output, own.stdout, own.merged) == ("both", None, True)
        assert [command.executable for command in trace.commands()] == ["bash", "sh"]


def test_a_command_has_its_test_runs(tmp_path: Path) -> None:
    with open_trace(write(tmp_path / "trace.zst")) as trace:
        first, own = trace.commands()
        (run,) = first.test_runs
        assert (run.suite, run.status) == ("pytest", "failure")
        assert (run.counts, run.learned_from) == ({"failed": 1}, "plugin")
        facts = {semconv.TEST_CASE_NAME: "t.py::a", semconv.TEST_CASE_OUTCOME: "failed"}
        assert run.cases == [TestCase("t.py::a", "failed", facts)]
        assert own.test_runs == []


def test_what_a_call_came_to_at_a_server_is_a_part_of_it(tmp_path: Path) -> None:
    with open_trace(write(tmp_path / "trace.zst")) as trace:
        (call,) = trace.agent.tool_calls()
        assert [part.span_id for part in call.parts] == [PART]
