from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from traceproof.proxy.testing import Say, ScriptedModel, Status, Turn, Use, scenarios
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded
    from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

VERSION = "2.1.197"


def call_of(tool: Span) -> tuple[object, Any]:
    """Return what was called, and with what."""
    attributes = tool.attributes
    arguments = json.loads(str(attributes[semconv.TOOL_CALL_ARGUMENTS]))
    return attributes[semconv.TOOL_NAME], arguments


def result_of(tool: Span) -> str:
    assert tool.attributes[semconv.TOOL_STATE] == "answered"
    return str(tool.attributes[semconv.TOOL_CALL_RESULT])


def scripted_calls(done: Recorded, scene: str = "main") -> list[tuple[object, ...]]:
    """Return the tool calls that the script's turns asked for, in order."""
    cues = [call.cue for call in done.model_calls if call.scene == scene]
    parts = [part for cue in cues if cue for part in cue.turn.parts]
    return [(part.name, part.input) for part in parts if isinstance(part, Use)]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_every_turn_and_tool_call_is_in_the_trace(stage: Stage, mode: str) -> None:
    script = scenarios.claude_fix_bug(stage.workdir)

    done = stage.record(script, *stage.claude("Fix the bug."), options=["--mode", mode])

    assert (done.ended.returncode, done.ended.stderr) == (0, b"")
    assert done.result["result"] == "Fixed: `add` returns the sum, and the check passes."
    assert (stage.workdir / "adder.py").read_text() == scenarios.FIXED
    assert (done.problems, done.log) == ([], "")
    assert done.differences() == []

    turns = [call for call in done.model_calls if call.scene == "main"]
    assert len(turns) == 4
    assert len(done.chats()) == 4
    assert len(done.chats("title")) == len(done.model_calls) - 4
    assert [call_of(tool) for tool in done.tools] == scripted_calls(done)
    written, ran, counted = map(result_of, done.tools)
    assert written.startswith("File created successfully")
    assert (ran, counted) == ("sum ok", "11")


def test_the_session_says_who_worked_on_what_and_how_it_ended(stage: Stage) -> None:
    script = scenarios.claude_fix_bug(stage.workdir)

    done = stage.record(script, *stage.claude("Fix the bug."))

    root = done.root
    commit = stage.run("git", "rev-parse", "HEAD").stdout.decode().strip()
    expected = {
        semconv.AGENT_NAME: "claude-code",
        semconv.AGENT_VERSION: VERSION,
        semconv.CONVERSATION_ID: done.result["session_id"],
        semconv.VCS_REVISION: commit,
        semconv.VCS_BRANCH: "main",
        semconv.VCS_STATE: "clean",
        semconv.PROCESS_EXIT_CODE: 0,
        semconv.PROCESS_WORKING_DIRECTORY: str(stage.workdir),
    }
    assert {name: root.attributes.get(name) for name in expected} == expected
    prompts = done.prompts
    assert prompts == ["Fix the bug."]
    assert root.end >= max(span.end for span in done.spans)


def test_a_turn_has_what_was_asked_and_answered(stage: Stage) -> None:
    done = stage.record(scenarios.claude_fix_bug(stage.workdir), *stage.claude("Fix the bug."))

    first, second, _, last = done.chats()
    expected = {
        semconv.PROVIDER_NAME: "anthropic",
        semconv.REQUEST_MODEL: "claude-sonnet-4-5",
        semconv.REQUEST_STREAM: True,
        semconv.CALL_STATE: "complete",
        semconv.CONVERSATION_ID: done.result["session_id"],
        semconv.INPUT_TOKENS: 2100,
        semconv.CACHE_CREATION_TOKENS: 900,
        semconv.FINISH_REASONS: ["tool_call"],
    }
    assert {name: first.attributes.get(name) for name in expected} == expected
    assert second.attributes[semconv.CACHE_READ_TOKENS] == 2100
    assert last.attributes[semconv.FINISH_REASONS] == ["stop"]
    (answer,) = json.loads(str(first.attributes[semconv.OUTPUT_MESSAGES]))
    assert [part["type"] for part in answer["parts"]] == ["reasoning", "text", "tool_call"]
    assert answer["parts"][1]["content"] == "I will write the fixed module — naïve but right ✓."
    asked = json.loads(str(second.attributes[semconv.INPUT_MESSAGES]))
    del answer["finish_reason"]
    assert answer in asked
    tools = json.loads(str(first.attributes[semconv.TOOL_DEFINITIONS]))
    assert {"Bash", "Write"} <= {tool["name"] for tool in tools}
    assert "Claude Code" in str(first.attributes[semconv.SYSTEM_INSTRUCTIONS])


def test_parallel_tools_are_answered_each_on_its_own(stage: Stage) -> None:
    done = stage.record(scenarios.claude_parallel_tools(stage.workdir), *stage.claude())

    assert done.ended.returncode == 0
    assert done.differences() == []
    assert sorted(map(repr, map(call_of, done.tools))) == sorted(map(repr, scripted_calls(done)))
    outcomes = {
        call_of(tool)[1].get("description"): (tool.attributes.get(semconv.TOOL_IS_ERROR), tool)
        for tool in done.tools
    }
    failed, tool = outcomes["Fail"]
    assert failed is True
    assert "second" in result_of(tool)
    passed, tool = outcomes["Say first"]
    assert not passed
    assert result_of(tool) == "first"
    assert done.view.totals.tool_calls == 4


def test_sub_agents_are_nested_in_the_tool_calls_that_started_them(stage: Stage) -> None:
    done = stage.record(scenarios.claude_two_subagents(stage.workdir), *stage.claude())

    assert done.ended.returncode == 0
    assert done.differences() == []
    assert (stage.workdir / "a.txt").read_text() == f"{scenarios.PART_A}\n"
    assert (stage.workdir / "b.txt").read_text() == f"{scenarios.PART_B}\n"
    launches = {tool.span_id: tool for tool in done.tools if tool.name == "execute_tool Agent"}
    assert len(launches) == len(done.sub_agents) == 2
    for agent in done.sub_agents:
        launch = launches.pop(agent.parent_id)
        phrase = call_of(launch)[1]["prompt"].partition(":")[0]
        assert agent.attributes[semconv.JOIN] == "exact"
        assert agent.attributes[semconv.AGENT_NAME] == "general-purpose"
        assert len([chat for chat in done.chats() if chat.parent_id == agent.span_id]) == 3
        tools = [tool for tool in done.tools if tool.parent_id == agent.span_id]
        assert [call_of(tool) for tool in tools] == scripted_calls(done, phrase)
        assert launch.start <= agent.start <= agent.end <= launch.end
    shown = [tool.children for turn in done.view.root.children for tool in turn.children]
    assert [child.kind for children in shown for child in children] == ["agent", "agent", "command"]


def test_its_own_spans_are_taken_in_and_tied_to_its_calls(stage: Stage) -> None:
    done = stage.record(scenarios.claude_fix_bug(stage.workdir), *stage.claude())

    theirs = {record.span.span_id: record.span for record in done.records if record.from_agent}
    names = {span.name for span in theirs.values()}
    assert {"claude_code.llm_request", "claude_code.tool", "claude_code.tool.execution"} <= names
    for chat in done.chats():
        (link,) = [
            link for link in chat.links if link.attributes[semconv.LINK_TYPE] == "agent_span"
        ]
        assert theirs[link.span_id].name == "claude_code.llm_request"


def test_raw_gives_the_bytes_that_the_model_got_and_sent(stage: Stage) -> None:
    done = stage.record(scenarios.claude_fix_bug(stage.workdir), *stage.claude())

    kept = []
    for chat in done.chats():
        sides = [
            stage.traceproof("raw", "last", chat.span_id, side).stdout
            for side in ("request", "response")
        ]
        kept.append(tuple(sides))
    turns = [call for call in done.model_calls if call.scene == "main"]
    assert kept == [(call.request_body, call.response_body) for call in turns]


def test_a_refused_key_ends_as_it_would_without_recording(stage: Stage) -> None:
    script = scenarios.claude(Turn([Say("")], faults=[Status(403)]))

    done = stage.record(script, *stage.claude())

    assert done.ended.returncode == 1
    assert done.result["is_error"] is True
    assert done.root.attributes[semconv.PROCESS_EXIT_CODE] == 1
    assert {chat.attributes[semconv.CALL_STATE] for chat in done.chats()} == {"refused"}
    assert {chat.attributes[semconv.ERROR_TYPE] for chat in done.chats()} == {"permission_error"}
    assert done.differences() == []


def test_it_says_what_it_would_say_without_recording(stage: Stage) -> None:
    script = scenarios.claude_parallel_tools(stage.workdir)
    with ScriptedModel(script) as model:
        stage.env["ANTHROPIC_BASE_URL"] = model.url
        alone = stage.run(*stage.claude())
    del stage.env["ANTHROPIC_BASE_URL"]
    (stage.workdir / "notes.txt").unlink()

    done = stage.record(script, *stage.claude())

    assert (done.ended.returncode, done.ended.stderr) == (alone.returncode, alone.stderr)
    before, now = json.loads(alone.stdout), done.result
    assert list(now) == list(before)
    same = ("type", "subtype", "is_error", "num_turns", "result", "stop_reason", "total_cost_usd")
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
