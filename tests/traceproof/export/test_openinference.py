from __future__ import annotations

from typing import Any

from support import made as story
from traceproof.export import openinference
from traceproof.export.openinference import Names
from traceproof.recorder import semconv
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, Event, Span


def span(operation: str, **more: Any) -> Span:
    attributes: Attributes = {semconv.OPERATION_NAME: operation} if operation else {}
    named = {getattr(semconv, name): value for name, value in more.items()}
    return Span(story.TRACE, story.FIRST, operation, attributes={**attributes, **named})


def test_each_operation_is_a_kind() -> None:
    kinds = [
        openinference.attributes_of(span(operation)).get("openinference.span.kind")
        for operation in ("invoke_agent", "chat", "execute_tool", "")
    ]

    assert kinds == ["AGENT", "LLM", "TOOL", None]


def test_a_command_is_a_tool_and_a_test_run_judges() -> None:
    command = span(
        "",
        PROCESS_EXECUTABLE_NAME="bash",
        COMMAND_SCRIPT="make test",
        COMMAND_STDOUT=b"\xffok",
        COMMAND_STDERR="warned",
    )
    tests = span("", TEST_SUITE_NAME="pytest")
    tests.events = [Event(semconv.TEST_CASE, 0, {semconv.TEST_CASE_OUTCOME: "passed"})]
    server = Span(story.TRACE, story.FIRST, "mcp files")

    assert openinference.attributes_of(command) == {
        "openinference.span.kind": "TOOL",
        "tool.name": "bash",
        "input.value": "make test",
        "input.mime_type": "text/plain",
        "output.value": "\ufffdok\nwarned",
        "output.mime_type": "text/plain",
    }
    found = openinference.attributes_of(tests)
    assert (found["openinference.span.kind"], found["output.value"]) == ("EVALUATOR", "1 passed")
    assert openinference.attributes_of(server) == {"openinference.span.kind": "CHAIN"}


def test_a_call_has_its_model_parameters_and_tokens() -> None:
    found = openinference.attributes_of(
        span(
            "chat",
            PROVIDER_NAME="gcp.gemini",
            REQUEST_MODEL="gemini-pro",
            RESPONSE_MODEL="gemini-pro-002",
            REQUEST_STREAM=True,
            FINISH_REASONS=["stop"],
            CONVERSATION_ID="c1",
            INPUT_TOKENS=100,
            OUTPUT_TOKENS=7,
            CACHE_READ_TOKENS=60,
            CACHE_CREATION_TOKENS=30,
            REASONING_TOKENS=5,
        )
    )

    assert found == {
        "openinference.span.kind": "LLM",
        "session.id": "c1",
        "llm.model_name": "gemini-pro-002",
        "llm.provider": "google",
        "llm.invocation_parameters": '{"stream":true}',
        "llm.finish_reason": "stop",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 7,
        "llm.token_count.prompt_details.cache_read": 60,
        "llm.token_count.prompt_details.cache_write": 30,
        "llm.token_count.completion_details.reasoning": 5,
        "llm.token_count.total": 107,
    }


def test_a_tool_call_has_what_went_in_and_what_came_out() -> None:
    found = openinference.attributes_of(
        span(
            "execute_tool",
            TOOL_NAME="Bash",
            TOOL_CALL_ID="t1",
            TOOL_CALL_ARGUMENTS='{"command":"ls"}',
            TOOL_CALL_RESULT="a.py",
        )
    )

    assert found == {
        "openinference.span.kind": "TOOL",
        "tool.name": "Bash",
        "tool.id": "t1",
        "tool.parameters": '{"command":"ls"}',
        "input.value": '{"command":"ls"}',
        "input.mime_type": "application/json",
        "output.value": "a.py",
        "output.mime_type": "text/plain",
    }


def test_an_agent_has_its_first_prompt_and_its_last_words() -> None:
    root = span("invoke_agent", AGENT_NAME="claude-code")
    root.events = [Event(PROMPT_EVENT, 1, {"content": said}) for said in ("Fix it.", "Again.")]

    found = openinference.attributes_of(root, "Fixed.")

    assert found["agent.name"] == "claude-code"
    assert (found["input.value"], found["output.value"]) == ("Fix it.", "Fixed.")


def test_names_stand_beside_the_conventions_or_in_their_place() -> None:
    call = span("execute_tool", TOOL_NAME="Bash", TOOL_CALL_RESULT="a.py")

    spoken = {names: openinference.spoken(call, names).attributes for names in Names}

    assert spoken[Names.genai] == call.attributes
    assert spoken[Names.both].items() >= call.attributes.items()
    assert semconv.TOOL_CALL_RESULT not in spoken[Names.openinference]
    assert spoken[Names.openinference][semconv.TOOL_NAME] == "Bash"
    assert spoken[Names.openinference]["output.value"] == "a.py"
