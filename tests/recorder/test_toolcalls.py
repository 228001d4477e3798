from __future__ import annotations

import pytest

from traceproof.recorder import semconv, toolcalls
from traceproof.recorder.calls import MessageNote, ToolRequest, ToolResult, lineage
from traceproof.recorder.span import Span
from traceproof.recorder.toolcalls import Asker, OpenTool, ToolLedger

CHAT = Span("1" * 32, "c" * 16, "chat m", start=10, end=20)
LATER = Span("1" * 32, "d" * 16, "chat m", start=40, end=50)
USER = MessageNote("hello", "user")


def request(call_id: str = "t1") -> ToolRequest:
    return ToolRequest(call_id, "Bash", "{}")


def asker(*conversation: MessageNote, agent: str = "") -> Asker:
    return Asker(agent, "a" * 16, lineage(conversation)[-1] if conversation else 0)


def asks(text: str = "") -> MessageNote:
    return MessageNote(f"sha of asking {text}", "assistant")


def told(*results: tuple[str, str]) -> MessageNote:
    found = [ToolResult(call_id, content, None) for call_id, content in results]
    answers = tuple(call_id for call_id, _ in results)
    return MessageNote(f"sha of {results}", "user", answers, read_results=lambda: found)


def answered(
    ledger: ToolLedger, *messages: MessageNote, agent: str = "", time: int = 30
) -> list[tuple[OpenTool, str]]:
    return [(tool, result.content) for tool, result in ledger.answer(agent, messages, time)]


def test_a_call_is_open_from_its_asking_to_its_answer() -> None:
    ledger = ToolLedger()

    asked = ledger.ask(request(), CHAT, asker(USER))
    assert ledger.open() == [asked]

    assert answered(ledger, USER, asks(), told(("t1", "done"))) == [(asked, "done")]
    assert (asked.span.start, asked.span.end) == (20, 30)
    assert asked.span.attributes[semconv.TOOL_STATE] == "answered"
    assert ledger.open() == []


def test_the_same_answer_again_closes_nothing() -> None:
    ledger = ToolLedger()
    ledger.ask(request(), CHAT, asker(USER))
    conversation = USER, asks(), told(("t1", "done"))
    answered(ledger, *conversation)

    assert answered(ledger, *conversation) == []


def test_an_id_that_recurs_with_the_same_result_is_answered_every_time() -> None:
    ledger = ToolLedger()
    turn = asks(), told(("t1", "ok"))
    first = ledger.ask(request(), CHAT, asker(USER))
    assert answered(ledger, USER, *turn) == [(first, "ok")]

    second = ledger.ask(request(), LATER, asker(USER, *turn))

    assert answered(ledger, USER, *turn) == []
    assert answered(ledger, USER, *turn, *turn, time=60) == [(second, "ok")]


def test_calls_of_one_answer_without_ids_are_answered_in_order() -> None:
    ledger = ToolLedger()
    first, second = (ledger.ask(request(""), CHAT, asker(USER)) for _ in range(2))

    assert answered(ledger, USER, asks(), told(("", "a"))) == [(first, "a")]
    assert answered(ledger, USER, asks(), told(("", "a")), told(("", "b"))) == [(second, "b")]


def test_results_of_calls_without_ids_that_come_together_stay_apart() -> None:
    ledger = ToolLedger()
    first, second = (ledger.ask(request(""), CHAT, asker(USER)) for _ in range(2))

    found = answered(ledger, USER, asks(), told(("", "a"), ("", "b")))

    assert found == [(first, "a"), (second, "b")]


def test_a_result_answers_the_conversation_that_it_goes_on_with() -> None:
    ledger = ToolLedger()
    other = MessageNote("another task", "user")
    one = ledger.ask(request(), CHAT, asker(USER))
    two = ledger.ask(request(), LATER, asker(other))

    assert answered(ledger, USER, asks(), told(("t1", "for one"))) == [(one, "for one")]
    assert answered(ledger, other, asks(), told(("t1", "for two"))) == [(two, "for two")]


def test_a_result_in_another_agents_request_answers_nothing() -> None:
    ledger = ToolLedger()
    ledger.ask(request(), CHAT, asker(USER))

    assert answered(ledger, USER, asks(), told(("t1", "started")), agent="fork") == []


def test_a_conversation_that_was_rewritten_is_answered_by_its_last_result() -> None:
    ledger = ToolLedger()
    turn = asks(), told(("t1", "old"))
    ledger.ask(request(), CHAT, asker(USER))
    answered(ledger, USER, *turn)
    second = ledger.ask(request(), LATER, asker(USER, *turn))

    summary = MessageNote("a summary", "user")
    found = answered(ledger, summary, *turn, asks(), told(("t1", "new")))

    assert found == [(second, "new")]


def test_what_is_remembered_of_results_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolcalls, "_REMEMBERED", 100)
    ledger = ToolLedger()

    answered(ledger, *(told((f"{n}", "")) for n in range(250)))

    assert len(ledger._seen) == 50


def test_abandoning_one_answers_calls_leaves_those_of_others() -> None:
    ledger = ToolLedger()
    ledger.ask(request(), CHAT, asker(USER))
    kept = ledger.ask(request("t2"), LATER, asker(USER))

    (dropped,) = ledger.abandon(CHAT.span_id, 40)

    assert dropped.span.attributes[semconv.TOOL_STATE] == "unanswered"
    assert ledger.open() == [kept]


def test_a_call_that_closes_before_it_began_lasts_no_time() -> None:
    ledger = ToolLedger()
    ledger.ask(request("t1"), CHAT, asker(USER))
    ledger.ask(request("t2"), CHAT, asker(USER))

    ((told_early, _),) = answered(ledger, USER, asks(), told(("t1", "x")), time=5)
    (dropped,) = ledger.close(5)

    assert told_early.span.end == dropped.span.end == 20
