"""What the agent's own spans say about who started whom.

Claude Code's tracing gives each API call a `traceparent` and each tool span the id of its tool
call, so that a sub-agent's first call leads, parent by parent, to the tool call that started it.
"""

from __future__ import annotations

from traceproof.recorder import otlp, semconv, tracecontext
from traceproof.recorder.span import decode_value

_DEPTH = 64
"""Parents followed at most: a hostile agent may send a circle."""


class AgentSpans:
    """The parents and tool-call ids of the spans an agent sent of itself."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._tool_calls: dict[str, str] = {}

    def add(self, span: otlp.Span) -> None:
        """Take note of one span."""
        if span.parent_span_id:
            self._parents[span.span_id] = span.parent_span_id
        for pair in span.attributes:
            if pair.key == semconv.TOOL_CALL_ID:
                self._tool_calls[span.span_id] = str(decode_value(pair.value))

    def launched_by(self, trace_parent: str) -> str:
        """Return the id of the tool call above the span that a W3C `traceparent` names, or ""."""
        named = tracecontext.parse(trace_parent) if trace_parent else None
        return self.tool_call(named.span_id) if named else ""

    def tool_call(self, span_id: str) -> str:
        """Return the id of the tool call that a span is of, or of the nearest above it, or ""."""
        for _ in range(_DEPTH):
            if span_id in self._tool_calls:
                return self._tool_calls[span_id]
            span_id = self._parents.get(span_id, "")
            if not span_id:
                break
        return ""
