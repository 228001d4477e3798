"""A consumer of OTLP/JSON lines that knows nothing of traceproof: by the specification alone.

It makes OpenTelemetry's own protobuf messages field by field, and minds every rule of
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, ids in
hex, enums as integers, 64-bit integers as decimal strings (numbers are allowed), bytes in base64.
protobuf's own json_format will not do: it takes the hex of ids for base64.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
    TracesData,
)

Object = dict[str, Any]


def read(lines: Iterable[bytes]) -> list[TracesData]:
    """Read lines, one message each."""
    return [_traces_data(json.loads(line)) for line in lines]


def _known(value: Object, *names: str) -> Object:
    """Give a value of which only these fields may be there: nothing here is traceproof's."""
    assert set(value) <= set(names), set(value) - set(names)
    return value


def _traces_data(value: Object) -> TracesData:
    _known(value, "resourceSpans")
    return TracesData(resource_spans=[_resource_spans(item) for item in value["resourceSpans"]])


def _resource_spans(value: Object) -> ResourceSpans:
    _known(value, "resource", "scopeSpans", "schemaUrl")
    resource = _known(value.get("resource", {}), "attributes", "droppedAttributesCount")
    return ResourceSpans(
        resource=Resource(attributes=_attributes(resource)),
        scope_spans=[_scope_spans(item) for item in value["scopeSpans"]],
        schema_url=value.get("schemaUrl", ""),
    )


def _scope_spans(value: Object) -> ScopeSpans:
    _known(value, "scope", "spans", "schemaUrl")
    scope = _known(value.get("scope", {}), "name", "version", "attributes")
    return ScopeSpans(
        scope=InstrumentationScope(
            name=scope.get("name", ""),
            version=scope.get("version", ""),
            attributes=_attributes(scope),
        ),
        spans=[_span(item) for item in value["spans"]],
        schema_url=value.get("schemaUrl", ""),
    )


def _span(value: Object) -> Span:
    _known(
        value,
        *("traceId", "spanId", "parentSpanId", "traceState", "flags", "name", "kind"),
        *("startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "links", "status"),
    )
    kind: Any = value.get("kind", 0)
    assert re.fullmatch("[0-5]", str(kind)), kind
    return Span(
        trace_id=_id(value["traceId"], 16),
        span_id=_id(value["spanId"], 8),
        parent_span_id=_id(value["parentSpanId"], 8) if value.get("parentSpanId") else b"",
        name=value.get("name", ""),
        kind=kind,
        start_time_unix_nano=_integer(value["startTimeUnixNano"]),
        end_time_unix_nano=_integer(value["endTimeUnixNano"]),
        attributes=_attributes(value),
        events=[_event(item) for item in value.get("events", [])],
        links=[_link(item) for item in value.get("links", [])],
        status=_status(value.get("status", {})),
    )


def _event(value: Object) -> Span.Event:
    _known(value, "timeUnixNano", "name", "attributes")
    return Span.Event(
        time_unix_nano=_integer(value["timeUnixNano"]),
        name=value.get("name", ""),
        attributes=_attributes(value),
    )


def _link(value: Object) -> Span.Link:
    _known(value, "traceId", "spanId", "attributes")
    return Span.Link(
        trace_id=_id(value["traceId"], 16),
        span_id=_id(value["spanId"], 8),
        attributes=_attributes(value),
    )


def _status(value: Object) -> Status:
    _known(value, "code", "message")
    return Status(code=value.get("code", 0), message=value.get("message", ""))


def _attributes(value: Object) -> list[KeyValue]:
    pairs = value.get("attributes", [])
    keys = [pair["key"] for pair in pairs]
    assert len(keys) == len(set(keys)), keys
    return [KeyValue(key=pair["key"], value=_any(pair["value"])) for pair in pairs]


def _any(value: Object) -> AnyValue:
    assert len(value) <= 1
    kind: str
    inner: Any
    kind, inner = next(iter(value.items()), ("", None))
    match kind:
        case "stringValue":
            return AnyValue(string_value=inner)
        case "boolValue":
            return AnyValue(bool_value=inner)
        case "intValue":
            return AnyValue(int_value=_integer(inner))
        case "doubleValue":
            return AnyValue(double_value=float(inner))
        case "bytesValue":
            return AnyValue(bytes_value=base64.b64decode(inner, validate=True))
        case "arrayValue":
            items = inner.get("values", [])
            return AnyValue(array_value=ArrayValue(values=[_any(item) for item in items]))
        case "kvlistValue":
            pairs = inner.get("values", [])
            return AnyValue(kvlist_value=KeyValueList(values=_attributes({"attributes": pairs})))
    assert kind == ""
    return AnyValue()


def _id(text: str, size: int) -> bytes:
    assert re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", text), text
    assert text.strip("0"), "an id of zeros is none"
    return bytes.fromhex(text)


def _integer(value: str | int) -> int:
    assert re.fullmatch(r"-?\d+", str(value)), value
    return int(value)


def plain(value: AnyValue) -> Any:
    """Give a protobuf value as Python's own."""
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
        case None:
            return ""
        case kind:
            return getattr(value, kind)


def attributes(message: Any) -> dict[str, Any]:
    """Give a message's attributes as a dictionary."""
    return {pair.key: plain(pair.value) for pair in message.attributes}


def spans(data: Iterable[TracesData]) -> list[tuple[ResourceSpans, ScopeSpans, Span]]:
    """Give all spans with what stands around them."""
    return [
        (resource, scope, span)
        for one in data
        for resource in one.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
