"""Our spans as the OpenTelemetry SDK's, with their own ids and times, for its exporters.

Nothing is generated or limited here: the SDK's tracer, which would do both, is not involved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from traceproof.recorder import span as ours
from traceproof.recorder.reader import Record
from traceproof.recorder.span import decode_attributes

_KINDS = {
    ours.SpanKind.UNSPECIFIED: SpanKind.INTERNAL,  # what OTLP says to take it for
    ours.SpanKind.INTERNAL: SpanKind.INTERNAL,
    ours.SpanKind.SERVER: SpanKind.SERVER,
    ours.SpanKind.CLIENT: SpanKind.CLIENT,
    ours.SpanKind.PRODUCER: SpanKind.PRODUCER,
    ours.SpanKind.CONSUMER: SpanKind.CONSUMER,
}
_STATUS = {
    ours.StatusCode.UNSET: StatusCode.UNSET,
    ours.StatusCode.OK: StatusCode.OK,
    ours.StatusCode.ERROR: StatusCode.ERROR,
}


def readable(record: Record, schema_url: str, resource: Mapping[str, str]) -> ReadableSpan:
    """Turn a whole span into the SDK's; `resource` is added to what is known of who made it."""
    span = record.span
    scope = record.scope
    message = span.status_message if span.status is ours.StatusCode.ERROR else None
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=Resource(_values({**record.resource, **resource}), schema_url),
        attributes=_values(span.attributes),
        events=[
            Event(event.name, _values(event.attributes), timestamp=event.time)
            for event in span.events
        ],
        links=[
            Link(_context(link.trace_id, link.span_id), _values(link.attributes))
            for link in span.links
        ],
        kind=_KINDS[span.kind],
        status=Status(_STATUS[span.status], message),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope(
            scope.name, scope.version, schema_url, _values(decode_attributes(scope.attributes))
        ),
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1)
    )


def _values(attributes: Mapping[str, Any]) -> Any:
    """Let the SDK have any of our values: its types name fewer than its encoder takes."""
    return cast("Any", attributes)
