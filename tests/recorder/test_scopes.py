from __future__ import annotations

from traceproof.recorder.calls import CallRequest, MessageNote
from traceproof.recorder.scopes import Failure, Scope
from traceproof.recorder.span import Span


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


def test_a_side_call_is_no_retry_of_a_turn() -> None:
    main = scope()
    main.failed(CallRequest(1, "m", {}, said("a")), Failure("f" * 16, 0))

    assert main.failure_of(CallRequest(2, "m", {}, said("a"), purpose="title")) is None
