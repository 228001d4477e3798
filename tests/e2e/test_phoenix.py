"""A recorded session of Claude Code, pushed to Arize Phoenix and asked for there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.offline import Offline
from support.phoenix import Phoenix
from traceproof.proxy.testing import scenarios
from traceproof.recorder import semconv
from traceproof.spanfacts import operation

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded

pytestmark = [pytest.mark.agents, pytest.mark.timeout(240)]

KINDS = {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool": "TOOL", "command": "TOOL"}


@pytest.fixture(scope="module")
def phoenix(
    tmp_path_factory: pytest.TempPathFactory,
    agent: Callable[[str], Path],
    agent_env: Callable[[Path], dict[str, str]],
) -> Iterator[Phoenix]:
    folder = tmp_path_factory.mktemp("phoenix")
    with (
        Offline() as offline,
        Phoenix(agent("phoenix"), folder, {**agent_env(folder), **offline.variables}) as started,
    ):
        yield started
    assert offline.asked == set()


def push(stage: Stage, phoenix: Phoenix, project: str, *more: str) -> str:
    ended = stage.traceproof(
        "push",
        "--endpoint",
        phoenix.url,
        "--resource",
        f"openinference.project.name={project}",
        *more,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    return ended.stdout.decode()


def said(messages: str) -> list[dict[str, Any]]:
    """Spell messages of OpenTelemetry out as Phoenix is to show them."""
    shown: list[dict[str, Any]] = []
    for message in json.loads(messages):
        rest = []
        for part in message["parts"]:
            if part["type"] == "tool_call_response":
                shown.append(
                    {"role": "tool", "tool_call_id": part["id"], "texts": [part["response"]]}
                )
            else:
                rest.append(part)
        if rest:
            calls = [part for part in rest if part["type"] == "tool_call"]
            shown.append(
                {
                    "role": message["role"],
                    "texts": [p["content"] for p in rest if p["type"] in ("text", "reasoning")],
                    "calls": [(p["id"], p["name"], p["arguments"]) for p in calls],
                }
            )
    return [{name: value for name, value in one.items() if value} for one in shown]


def shown(attributes: dict[str, Any], side: str) -> list[dict[str, Any]]:
    """Put the messages that Phoenix shows together from their numbered attributes."""
    return [
        _message({k: v for k, v in attributes.items() if k.startswith(start)}, start)
        for start in _numbered(attributes, f"llm.{side}_messages.")
    ]


def _message(found: dict[str, Any], start: str) -> dict[str, Any]:
    texts = [found[f"{at}message_content.text"] for at in _numbered(found, f"{start}contents.")]
    texts = [found[f"{start}content"]] if f"{start}content" in found else texts
    calls = [
        (
            found[f"{at}tool_call.id"],
            found[f"{at}tool_call.function.name"],
            json.loads(found[f"{at}tool_call.function.arguments"]),
        )
        for at in _numbered(found, f"{start}tool_calls.")
    ]
    message = {
        "role": found[f"{start}role"],
        "tool_call_id": found.get(f"{start}tool_call_id"),
        "texts": texts,
        "calls": calls,
    }
    return {name: value for name, value in message.items() if value}


def _numbered(attributes: dict[str, Any], prefix: str) -> list[str]:
    numbers = {k.removeprefix(prefix).split(".")[0] for k in attributes if k.startswith(prefix)}
    middle = "message." if prefix.endswith("messages.") else ""
    return [f"{prefix}{number}.{middle}" for number in sorted(numbers, key=int)]


def record(stage: Stage, scenario: Callable[[Path], Any]) -> Recorded:
    done = stage.record(scenario(stage.workdir), *stage.claude())
    assert done.ended.returncode == 0
    return done


def test_the_tree_is_the_one_that_was_recorded(stage: Stage, phoenix: Phoenix) -> None:
    done = record(stage, scenarios.claude_two_subagents)

    told = push(stage, phoenix, "tree")

    assert f": {len(done.spans)} spans sent to {phoenix.url}/v1/traces" in told
    spans = phoenix.spans("tree", len(done.spans))
    assert {
        span_id: (span["parent_id"], span["name"], span["span_kind"], span["status_code"])
        for span_id, span in spans.items()
    } == {
        span.span_id: (
            span.parent_id or None,
            span.name,
            KINDS.get(operation(span), "UNKNOWN"),
            span.status.name,
        )
        for span in done.spans
    }
    assert {span["context"]["trace_id"] for span in spans.values()} == {done.root.trace_id}
    project = phoenix.summary("tree")
    nodes = [edge["node"] for edge in project["spans"]["edges"]]
    (root,) = [node for node in nodes if node["spanId"] == done.root.span_id]
    assert (root["name"], root["spanKind"]) == ("invoke_agent claude-code", "agent")
    assert root["input"]["value"] == "Fix the bug."
    assert root["output"]["value"] == done.result["result"]


def test_tokens_are_those_that_the_model_counted(stage: Stage, phoenix: Phoenix) -> None:
    done = record(stage, scenarios.claude_fix_bug)
    push(stage, phoenix, "tokens")

    spans = phoenix.spans("tokens", len(done.spans))

    for chat in done.chats():
        counts = {
            name.removeprefix("llm.token_count."): value
            for name, value in spans[chat.span_id]["attributes"].items()
            if name.startswith("llm.token_count.")
        }
        prompt = chat.attributes[semconv.INPUT_TOKENS]
        completion = chat.attributes[semconv.OUTPUT_TOKENS]
        assert counts == {
            "prompt": prompt,
            "completion": completion,
            "total": int(str(prompt)) + int(str(completion)),
            "prompt_details.cache_read": chat.attributes[semconv.CACHE_READ_TOKENS],
            "prompt_details.cache_write": chat.attributes[semconv.CACHE_CREATION_TOKENS],
        }
    totals, project = done.view.totals.tokens, phoenix.summary("tokens")
    assert project["traceCount"] == 1
    assert project["tokenCountPrompt"] == totals.input
    assert project["tokenCountCompletion"] == totals.output


def test_messages_and_tools_are_those_that_were_said(stage: Stage, phoenix: Phoenix) -> None:
    done = record(stage, scenarios.claude_parallel_tools)
    push(stage, phoenix, "messages")

    spans = phoenix.spans("messages", len(done.spans))

    for chat in done.chats():
        attributes = spans[chat.span_id]["attributes"]
        system, *asked = shown(attributes, "input")
        assert (system["role"], len(system["texts"])) == (
            "system",
            len(json.loads(str(chat.attributes[semconv.SYSTEM_INSTRUCTIONS]))),
        )
        assert asked == said(str(chat.attributes[semconv.INPUT_MESSAGES]))
        assert shown(attributes, "output") == said(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
        tools = [k for k in attributes if k.endswith(".tool.json_schema")]
        assert len(tools) == len(json.loads(str(chat.attributes[semconv.TOOL_DEFINITIONS])))
    for tool in done.tools:
        attributes = spans[tool.span_id]["attributes"]
        assert attributes["tool.name"] == tool.attributes[semconv.TOOL_NAME]
        assert json.loads(attributes["input.value"]) == json.loads(
            str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS])
        )
        assert attributes["output.value"] == tool.attributes[semconv.TOOL_CALL_RESULT]


def test_bodies_can_go_along(stage: Stage, phoenix: Phoenix) -> None:
    done = record(stage, scenarios.claude_fix_bug)
    push(stage, phoenix, "bodies", "--bodies", "--agent-spans")

    spans = phoenix.spans("bodies", len(done.records))

    theirs = [record.span for record in done.records if record.from_agent]
    assert theirs
    assert {span.span_id: span.name for span in theirs}.items() <= {
        span_id: span["name"] for span_id, span in spans.items()
    }.items()
    for chat in done.chats():
        body = spans[chat.span_id]["attributes"][semconv.RESPONSE_BODY]
        assert body.encode() == done.body(chat, "response")[0]
