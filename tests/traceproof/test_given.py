from __future__ import annotations

import json

from support.session_spans import chat, root
from traceproof import given
from traceproof.given import Given
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

BE_GOOD = {"type": "text", "content": "Be good."}
BASH = {"type": "function", "name": "bash"}


def call(*parts: object, tools: object = None) -> Span:
    told = {"SYSTEM_INSTRUCTIONS": json.dumps(parts)}
    return chat(**told, **({"TOOL_DEFINITIONS": json.dumps(tools)} if tools else {}))


def told(span: Span) -> list[tuple[str, str, str]]:
    return [(node.kind, node.title, node.detail) for node in given.nodes(span, 1.0)]


def test_what_an_earlier_call_had_is_not_told_again() -> None:
    seen = Given()

    assert told(seen.only_new(call(BE_GOOD, tools=[BASH]))) == [
        ("system", "8 characters", "Be good."),
        ("tools", "1: bash", '{"type":"function","name":"bash"}'),
    ]
    today = {"type": "text", "content": "It is Monday."}
    assert told(seen.only_new(call(BE_GOOD, today, tools=[BASH]))) == [
        ("system", "13 characters", "It is Monday.")
    ]
    assert told(seen.only_new(call(BE_GOOD, tools=[BASH]))) == []


def test_what_was_read_once_is_not_read_again() -> None:
    seen, reference = Given(), semconv.REF + semconv.SYSTEM_INSTRUCTIONS
    span = chat()
    span.attributes[reference] = "list:" + "0" * 64

    assert list(seen.limits(span)) == [semconv.SYSTEM_INSTRUCTIONS]
    assert seen.limits(span) == {}


def test_what_makes_no_sense_is_told_as_far_as_it_does() -> None:
    assert told(chat(SYSTEM_INSTRUCTIONS="[1, {", TOOL_DEFINITIONS="{}")) == []
    assert told(chat(SYSTEM_INSTRUCTIONS='[1, {"type": "blob"}]', TOOL_DEFINITIONS="[2]")) == [
        ("system", "18 characters", '1\n\n{"type":"blob"}'),
        ("tools", "1: ?", "2"),
    ]


def test_the_task_is_what_was_agreed_on() -> None:
    contract = json.dumps({"goal": ["a", "b"], "acceptance": "c"})

    (node,) = given.task(root(TASK_CONTRACT=contract, TASK_TYPE="repair"))

    assert (node.title, json.loads(node.detail)["acceptance"]) == ("repair: a; b", "c")
    assert list(given.task(root())) == []
    assert [node.title for node in given.task(root(TASK_CONTRACT="{"))] == [""]


def test_the_final_diff_says_how_many_files_and_whether_it_is_whole() -> None:
    diff = "diff --git a/x b/x\n+1\ndiff --git a/y b/y\n"

    (node,) = given.final_diff(root(WORKSPACE_DIFF=diff), 9.0)
    assert (node.title, node.detail, node.at, node.cut) == ("2 files", diff, 9.0, [])
    cut = root(WORKSPACE_DIFF=diff)
    cut.attributes[semconv.REF + semconv.WORKSPACE_DIFF] = "text:" + "0" * 64
    (node,) = given.final_diff(cut, 9.0)
    assert (node.title, node.cut) == ("2 or more files", ["detail"])
    assert list(given.final_diff(root(), 9.0)) == []
