"""OTLP/JSON as msgspec structs: the one line format of a trace file.

Field names, integer enums, hex ids and string 64-bit integers follow the OpenTelemetry protocol's
JSON mapping (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Two fields are
ours, `traceproofBlobs` and `traceproofPending`; receivers ignore fields they do not know.

This module knows nothing of files, compression or meaning.
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Wire(msgspec.Struct, rename="camel", omit_defaults=True):
    """What messages share: lowerCamelCase names, defaults left out, unknown fields ignored."""


class AnyValue(_Wire):
    """One attribute value; exactly one field is set."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: str | int | None = None
    double_value: float | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: str | None = None


class ArrayValue(_Wire):
    """A list of values."""

    values: list[AnyValue] = []


class KeyValue(_Wire):
    """A named value."""

    key: str = ""
    value: AnyValue = msgspec.field(default_factory=AnyValue)


class KeyValueList(_Wire):
    """A map, as a list of named values."""

    values: list[KeyValue] = []


class Event(_Wire):
    """Something that happened at a moment within a span."""

    time_unix_nano: str = "0"
    name: str = ""
    attributes: list[KeyValue] = []


class Link(_Wire):
    """A span that this one points at."""

    trace_id: str = ""
    span_id: str = ""
    attributes: list[KeyValue] = []


class Status(_Wire):
    """0 unset, 1 ok, 2 error."""

    code: int = 0
    message: str = ""


class Span(_Wire):
    """One span; times are Unix nanoseconds as decimal strings."""

    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    parent_span_id: str = ""
    flags: int = 0
    name: str = ""
    kind: int = 0
    start_time_unix_nano: str = "0"
    end_time_unix_nano: str = "0"
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0
    events: list[Event] = []
    dropped_events_count: int = 0
    links: list[Link] = []
    dropped_links_count: int = 0
    status: Status = msgspec.field(default_factory=Status)


class Resource(_Wire):
    """Who made the spans."""

    attributes: list[KeyValue] = []


class Scope(_Wire):
    """Which instrumentation made the spans."""

    name: str = ""
    version: str = ""
    attributes: list[KeyValue] = []


class ScopeSpans(_Wire):
    """Spans of one scope."""

    scope: Scope = msgspec.field(default_factory=Scope)
    spans: list[Span] = []
    schema_url: str = ""


class ResourceSpans(_Wire):
    """Spans of one resource."""

    resource: Resource = msgspec.field(default_factory=Resource)
    scope_spans: list[ScopeSpans] = []
    schema_url: str = ""


class BlobRecord(_Wire):
    """One blob: its SHA-256 (hex), its bytes as `utf8` or `base64`, and what was masked in them.

    A mask is `[offset, name]` or `[offset, name, encoding]`: at that byte offset of the stored
    bytes stands `<SECRET:name>` in place of a secret (which stood there in that encoding).
    """

    sha256: str = ""
    utf8: str | None = None
    base64: str | None = None
    masks: list[list[Any]] = []


class TracesData(msgspec.Struct, rename="camel"):
    """One line of a trace file; `resourceSpans` is always present: any receiver takes it."""

    resource_spans: list[ResourceSpans] = []
    traceproof_blobs: list[BlobRecord] | msgspec.UnsetType = msgspec.UNSET
    traceproof_pending: list[ResourceSpans] | msgspec.UnsetType = msgspec.UNSET
