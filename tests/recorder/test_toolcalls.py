from __future__ import annotations

from traceproof.recorder import semconv
from traceproof.recorder.calls import ToolRequest, ToolResult
from traceproof.recorder.span import Span
from traceproof.recorder.toolcalls import ToolLedger

CHAT = Span("1" * 32, "c" * 16, "chat m", start=10, end=20)


def test_a_call_is_open_from_its_asking_to_its_answer() -> None:
    ledger = ToolLedger()

    asked = ledger.ask(ToolRequest("t1", "Bash", "{}"), CHAT, "a" * 16)
    assert ledger.open() == [asked]

    answered = ledger.answer(ToolResult("t1", "done", None), 30)
    assert answered is asked
    assert (asked.span.start, asked.span.end) == (20, 30)
    assert ledger.open() == []


def test_the_same_answer_again_closes_nothing() -> None:
    ledger = ToolLedger()
    ledger.ask(ToolRequest("t1", "Bash", "{}"), CHAT, "a" * 16)
    ledger.answer(ToolResult("t1", "done", None), 30)

    assert ledger.answer(ToolResult("t1", "done", None), 40) is None


def test_abandoning_one_answers_calls_leaves_those_of_others() -> None:
    ledger = ToolLedger()
    other = Span("1" * 32, "d" * 16, "chat m", end=25)
    ledger.ask(ToolRequest("t1", "Bash", "{}"), CHAT, "a" * 16)
    kept = ledger.ask(ToolRequest("t2", "Bash", "{}"), other, "a" * 16)

    (dropped,) = ledger.abandon(CHAT.span_id, 40)

    assert dropped.span.attributes[semconv.TOOL_STATE] == "unanswered"
    assert ledger.open() == [kept]


def test_a_call_that_closes_before_it_began_lasts_no_time() -> None:
    ledger = ToolLedger()
    ledger.ask(ToolRequest("t1", "Bash", "{}"), CHAT, "a" * 16)

    (dropped,) = ledger.close(5)

    assert dropped.span.end == dropped.span.start == 20
