from __future__ import annotations

from traceproof.recorder import otlp, semconv
from traceproof.recorder.agentspans import AgentSpans
from traceproof.recorder.span import encode_attributes


def named(span_id: str) -> str:
    return f"00-{'1' * 32}-{span_id}-01"


def test_a_call_leads_parent_by_parent_to_the_tool_call_above_it() -> None:
    spans = AgentSpans()
    tool = encode_attributes({semconv.TOOL_CALL_ID: "toolu_1"})
    spans.add(otlp.Span("1" * 32, "c" * 16, "", "b" * 16))
    spans.add(otlp.Span("1" * 32, "b" * 16, "", "a" * 16, attributes=tool))

    assert spans.launched_by(named("c" * 16)) == "toolu_1"


def test_a_call_of_the_main_agent_leads_nowhere() -> None:
    spans = AgentSpans()
    spans.add(otlp.Span("1" * 32, "c" * 16, ""))

    assert spans.launched_by(named("c" * 16)) == ""
    assert spans.launched_by("") == ""
    assert spans.launched_by("nonsense") == ""
