"""W3C trace context: which span a `traceparent` header names."""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()


class SpanName(NamedTuple):
    """A trace id and a span id, in hex."""

    trace_id: str
    span_id: str


def parse(header: str) -> SpanName | None:
    """Return what a header names, None where it is not one.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    extracted = _propagator.extract({"traceparent": header})
    context = trace.get_current_span(extracted).get_span_context()
    if not context.is_valid:
        return None
    return SpanName(trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id))
