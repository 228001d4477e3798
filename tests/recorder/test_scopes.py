from __future__ import annotations

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest, MessageNote, ToolRequest
from traceproof.recorder.scopes import Failure, Scope, Scopes, argument
from traceproof.recorder.span import Event, Span
from traceproof.recorder.toolcalls import Asker, OpenTool


def scope() -> Scope:
    return Scope("", Span("1" * 32, "a" * 16, "invoke_agent x"))


def said(*prompts: str) -> list[MessageNote]:
    return [MessageNote(f"sha of {prompt}", "user", prompt=prompt) for prompt in prompts]


def test_a_prompt_is_new_once_however_often_it_is_resent() -> None:
    main = scope()

    assert main.new_prompts(said("a")) == ["a"]
    assert main.new_prompts(said("a", "b")) == ["b"]
    assert main.new_prompts(said("a", "b")) == []


def test_a_compacted_conversation_brings_no_old_prompt_again() -> None:
    main = scope()
    main.new_prompts(said("a", "b"))

    assert main.new_prompts(said("b", "c")) == ["c"]


def test_a_failure_is_found_by_what_was_asked_and_only_once() -> None:
    main = scope()
    asked = CallRequest(1, "m", {}, said("a"))
    other = CallRequest(1, "m", {}, said("b"))
    main.failed(asked, Failure("f" * 16, 0))

    assert main.failure_of(other) is None
    assert main.failure_of(CallRequest(2, "another model", {}, said("a"))) == Failure("f" * 16, 0)
    assert main.failure_of(asked) is None


def test_a_retry_may_end_in_what_came_of_the_broken_answer() -> None:
    main = scope()
    main.failed(CallRequest(1, "m", {}, said("a")), Failure("f" * 16, 0))
    partial = MessageNote("partial", "assistant")

    assert main.failure_of(CallRequest(2, "m", {}, [*said("a", "b"), partial])) is None
    assert main.failure_of(CallRequest(3, "m", {}, [*said("a"), partial])) == Failure("f" * 16, 0)


def test_a_side_call_is_no_retry_of_a_turn() -> None:
    main = scope()
    main.failed(CallRequest(1, "m", {}, said("a")), Failure("f" * 16, 0))

    assert main.failure_of(CallRequest(2, "m", {}, said("a"), purpose="title")) is None


def test_a_new_conversation_counts_its_prompts_anew() -> None:
    main = scope()
    main.new_prompts(said("a"), "one")

    assert main.new_prompts(said("a"), "two") == ["a"]
    assert main.new_prompts(said("a"), "one") == []


def test_a_span_is_due_when_its_events_are_a_quarter_more() -> None:
    main = scope()
    due = []
    for count in range(1, 50):
        main.span.events.append(Event("prompt", count))
        due += [count] if main.due() else []

    assert due == [1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48]
    assert not main.due()


def agents() -> Scopes:
    return Scopes(Span("1" * 32, "a" * 16, "invoke_agent x"))


def sub(agent_id: str, prompt: str = "", parent: str = "") -> CallRequest:
    return CallRequest(5, "m", {}, said(prompt), agent_id=agent_id, parent_agent_id=parent)


def tool(span_id: str, prompt: str, asked_by: str = "") -> OpenTool:
    request = ToolRequest("t", "Agent", f'{{"prompt":"{prompt}","subagent_type":"Explore"}}')
    return OpenTool(Span("1" * 32, span_id, "execute_tool"), request, "c", Asker(asked_by, "a"))


def test_a_sub_agent_stands_under_the_call_whose_prompt_it_is_told() -> None:
    known = agents()

    found = known.add(sub("A", "please look here"), [tool("t1", "other"), tool("t2", "look here")])

    assert (found.span.parent_id, found.launched_by, found.parent) == ("t2", "t2", known.main)
    assert found.span.name == "invoke_agent Explore"
    assert found.span.attributes[semconv.JOIN] == "inferred"
    assert known.get("A") is found
    assert known.sub_agents() == [found]


def test_a_sub_agent_whose_call_is_not_seen_stands_under_its_parent_agent() -> None:
    known = agents()
    outer = known.add(sub("A"), [])

    inner = known.add(sub("B", parent="A"), [])

    assert inner.span.parent_id == outer.span.span_id
    assert inner.within(outer)
    assert not outer.within(inner)


def test_an_agent_is_never_put_under_itself_nor_under_one_within_it() -> None:
    known = agents()
    outer = known.add(sub("A"), [])
    known.add(sub("B", parent="A"), [])

    known.tie(outer, "t1", "A")
    known.tie(outer, "t2", "B")
    assert outer.span.parent_id == "a" * 16
    assert semconv.JOIN not in outer.span.attributes

    known.tie(outer, "t3", "")
    assert outer.span.parent_id == "t3"
    assert outer.span.attributes[semconv.JOIN] == "exact"


@pytest.mark.parametrize("arguments", ["", "[1]", "{", '{"prompt":1}', "[" * 100_000])
def test_what_is_no_argument_is_none(arguments: str) -> None:
    assert argument(ToolRequest("t", "Agent", arguments), "prompt") == ""
