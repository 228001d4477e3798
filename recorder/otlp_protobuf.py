"""OTLP's protobuf encoding, read into the structs of `traceproof.recorder.otlp`.

Only reading, only traces. The ids become lower-case hex here: protobuf's own JSON mapping would
make base64 of them.
"""

from __future__ import annotations

import base64
import importlib
import math
from typing import TYPE_CHECKING, Any

from traceproof.recorder import otlp

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2


def decode_traces(body: bytes) -> otlp.TracesData:
    """Read an `ExportTraceServiceRequest`, which on the wire is a `TracesData`.

    Raises:
        ModuleNotFoundError: opentelemetry-proto is not installed.
        ValueError: the bytes are no such message.
    """
    trace_pb2 = importlib.import_module("opentelemetry.proto.trace.v1.trace_pb2")
    decode_error = importlib.import_module("google.protobuf.message").DecodeError
    try:
        message = trace_pb2.TracesData.FromString(body)
    except decode_error as error:
        raise ValueError("the body is not an OTLP protobuf message") from error
    return otlp.TracesData([_resource_spans(item) for item in message.resource_spans])


def _resource_spans(message: trace_pb2.ResourceSpans) -> otlp.ResourceSpans:
    return otlp.ResourceSpans(
        otlp.Resource(_attributes(message.resource.attributes)),
        [_scope_spans(item) for item in message.scope_spans],
        message.schema_url,
    )


def _scope_spans(message: trace_pb2.ScopeSpans) -> otlp.ScopeSpans:
    scope = message.scope
    return otlp.ScopeSpans(
        otlp.Scope(scope.name, scope.version, _attributes(scope.attributes)),
        [_span(item) for item in message.spans],
        message.schema_url,
    )


def _span(message: trace_pb2.Span) -> otlp.Span:
    return otlp.Span(
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        trace_state=message.trace_state,
        parent_span_id=message.parent_span_id.hex(),
        flags=message.flags,
        name=message.name,
        kind=message.kind,
        start_time_unix_nano=str(message.start_time_unix_nano),
        end_time_unix_nano=str(message.end_time_unix_nano),
        attributes=_attributes(message.attributes),
        dropped_attributes_count=message.dropped_attributes_count,
        events=[_event(item) for item in message.events],
        dropped_events_count=message.dropped_events_count,
        links=[_link(item) for item in message.links],
        dropped_links_count=message.dropped_links_count,
        status=otlp.Status(message.status.code, message.status.message),
    )


def _event(message: trace_pb2.Span.Event) -> otlp.Event:
    return otlp.Event(str(message.time_unix_nano), message.name, _attributes(message.attributes))


def _link(message: trace_pb2.Span.Link) -> otlp.Link:
    return otlp.Link(message.trace_id.hex(), message.span_id.hex(), _attributes(message.attributes))


def _attributes(pairs: Any) -> list[otlp.KeyValue]:
    return [otlp.KeyValue(pair.key, _value(pair.value)) for pair in pairs]


def _value(value: common_pb2.AnyValue) -> otlp.AnyValue:
    match value.WhichOneof("value"):
        case "string_value":
            return otlp.AnyValue(string_value=value.string_value)
        case "bool_value":
            return otlp.AnyValue(bool_value=value.bool_value)
        case "int_value":
            return otlp.AnyValue(int_value=str(value.int_value))
        case "double_value":
            return _double(value.double_value)
        case "bytes_value":
            return otlp.AnyValue(bytes_value=base64.b64encode(value.bytes_value).decode())
        case "array_value":
            values = [_value(item) for item in value.array_value.values]
            return otlp.AnyValue(array_value=otlp.ArrayValue(values))
        case "kvlist_value":
            pairs = _attributes(value.kvlist_value.values)
            return otlp.AnyValue(kvlist_value=otlp.KeyValueList(pairs))
    return otlp.AnyValue()


def _double(value: float) -> otlp.AnyValue:
    """Tag a double; one that JSON has no number for becomes the text of protobuf's JSON mapping."""
    if math.isfinite(value):
        return otlp.AnyValue(double_value=value)
    text = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return otlp.AnyValue(string_value=text)
