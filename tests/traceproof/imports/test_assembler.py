"""Spans of what a transcript tells; these tests read as that telling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import traceproof
from traceproof.imports import events, tools
from traceproof.imports.assembler import Assembler
from traceproof.imports.clock import Clock
from traceproof.imports.events import Answered, Back, Forgot, Ran, Said, Started, Took
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.recorder import messages, semconv
from traceproof.recorder.messages import Message
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter
from traceproof.trace import Trace

SECOND = 10**9


def made(path: Path, *told: events.Event) -> Trace:
    writer = TraceWriter(path / "trace.otlp.jsonl.zst", resource={})
    attributes: Any = {semconv.OPERATION_NAME: "invoke_agent", semconv.AGENT_NAME: "x"}
    root = Span("1" * 32, "a" * 16, "invoke_agent x", attributes=attributes)
    assembler = Assembler(writer, root, Clock(5))
    for event in told:
        assembler.take(event)
    assembler.close()
    assert writer.close()
    return traceproof.open_trace(writer.path)


def user(text: str, time: int = 0, **more: Any) -> Said:
    return Said(Message("user", [messages.text(text)]), time=time * SECOND, prompt=text, **more)


def answer(*parts: Any, time: int = 0, **more: Any) -> Answered:
    said = [messages.text(part) if isinstance(part, str) else part for part in parts]
    return Answered(ChatResponse(messages=[Message("assistant", said)]), time=time * SECOND, **more)


def call(call_id: str) -> Any:
    return messages.tool_call(call_id, "bash", {"command": call_id})


def result(call_id: str, text: str, time: int = 0, **more: Any) -> Said:
    part = messages.tool_call_response(call_id, text)
    return Said(Message("tool", [part]), time=time * SECOND, **more)


def contexts(trace: Trace) -> list[list[str]]:
    """Return the texts that each call was given."""
    return [[message.text for message in turn.input] for turn in trace.turns()]


def test_each_call_has_the_conversation_as_it_stood(tmp_path: Path) -> None:
    trace = made(
        tmp_path,
        user("One.", key="u1"),
        answer("First.", key="a1"),
        user("Two.", key="u2"),
        answer("Second.", key="a2"),
        Back("a1"),
        user("Other.", key="u3"),
        answer("Third.", key="a3"),
        Forgot(),
        Back("a1"),
        user("New."),
        answer("Fourth."),
    )

    assert contexts(trace) == [
        ["One."],
        ["One.", "First.", "Two."],
        ["One.", "First.", "Other."],
        ["New."],
    ]
    assert [prompt.text for prompt in trace.prompts] == ["One.", "Two.", "Other.", "New."]


def test_times_are_those_of_the_transcript(tmp_path: Path) -> None:
    trace = made(
        tmp_path,
        user("One.", 10),
        answer(call("t1"), time=12, starts={"t1": 11 * SECOND}),
        result("t1", "x", 15),
        answer("Done.", time=16),
    )

    first, last = trace.turns()
    (tool,) = first.tool_calls
    starts = [span.started.timestamp() for span in (trace, first, tool, last)]
    assert starts == [10, 10, 11, 15]
    assert [span.duration for span in (trace, first, tool, last)] == [6, 2, 4, 1]


def test_results_close_the_oldest_call_of_their_id_and_the_rest_stays_open(tmp_path: Path) -> None:
    trace = made(
        tmp_path,
        answer(call("t1"), call("t1"), call("t2")),
        result("t1", "one"),
        result("nobody's", "x"),
        result("t1", "two"),
        result("t1", "three"),
    )

    (turn,) = trace.turns()
    told = [(tool.id, tool.state, tool.result) for tool in turn.tool_calls]
    assert told == [
        ("t1", "answered", "one"),
        ("t1", "answered", "two"),
        ("t2", "unanswered", None),
    ]


def test_copied_messages_are_context_alone(tmp_path: Path) -> None:
    trace = made(
        tmp_path,
        user("Before.", copied=True),
        answer(call("t1")),
        result("t1", "elsewhere", copied=True),
    )

    (turn,) = trace.turns()
    assert trace.prompts == []
    assert contexts(trace) == [["Before."]]
    assert [tool.state for tool in turn.tool_calls] == ["unanswered"]


def test_a_call_in_a_text_and_what_it_ran_are_inferred(tmp_path: Path) -> None:
    asked = tools.in_text("bash#1", "false")
    said = user("returned 1")
    said.prompt, said.answers = "", "bash#1"
    trace = made(
        tmp_path,
        answer("```false```", asked=(asked,)),
        Ran("bash#1", "false", exit_code=1, output="x" * 5000),
        Took("bash#1", 3 * SECOND),
        said,
    )

    (turn,) = trace.turns()
    (tool,) = turn.tool_calls
    assert (tool.join, tool.result, tool.duration) == ("inferred", "returned 1", 3)
    assert tool.get(semconv.EVIDENCE) == "inferred"
    (command,) = [r.span for r in trace.spans() if r.span.parent_id == tool.span_id]
    assert command.attributes[semconv.PROCESS_EXIT_CODE] == 1
    assert command.attributes[semconv.COMMAND_OUTPUT] == "x" * 5000
    assert command.attributes[semconv.ERROR_TYPE] == "1"


def test_an_agent_that_was_never_announced_is_one_all_the_same(tmp_path: Path) -> None:
    trace = made(
        tmp_path,
        answer(call("t1")),
        Started("known", "Explore", "t1"),
        answer("Mine.", agent_id="known"),
        answer("Whose?", agent_id="unknown"),
        Started("unknown", "too late"),
    )

    main, known, unknown = trace.agents()
    assert (main.name, known.name, unknown.name) == ("x", "Explore", "sub-agent")
    (turn,) = main.turns()
    assert [agent.name for agent in turn.tool_calls[0].sub_agents()] == ["Explore"]
    assert [turn.text for turn in unknown.turns()] == ["Whose?"]


@pytest.mark.parametrize("length", [10, 5000])
def test_long_prompts_and_arguments_come_back_whole(tmp_path: Path, length: int) -> None:
    text = "é" * length
    part = messages.tool_call("t1", "bash", {"command": text})

    trace = made(tmp_path, user(text), user(text), answer(part), result("t1", text))

    assert [prompt.text for prompt in trace.prompts] == [text, text]
    (tool,) = next(iter(trace.turns())).tool_calls
    assert (tool.arguments, tool.result) == ({"command": text}, text)
