"""The format `otlp`: OTLP/JSON lines, one `TracesData` with one span a line.

It is what https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ describes, so that any
OTLP consumer reads it; nothing on a line is ours but attributes.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from traceproof.export.whole import Outgoing, Wanted
from traceproof.recorder import otlp
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import encode_attributes, encode_span


def lines(reader: TraceReader, wanted: Wanted) -> Iterator[bytes]:
    """Yield a trace's spans as lines, each with its line end."""
    outgoing = Outgoing(reader, wanted)
    for record in outgoing.records():
        yield msgspec.json.encode(traces_data(outgoing.whole(record), wanted)) + b"\n"


def traces_data(record: Record, wanted: Wanted) -> otlp.TracesData:
    """Wrap one span in what OTLP puts around it; an agent's own names no schema of ours."""
    schema = "" if record.from_agent else wanted.semconv.schema_url
    scopes = [otlp.ScopeSpans(record.scope, [encode_span(record.span)], schema)]
    resource = otlp.Resource(encode_attributes(record.resource))
    return otlp.TracesData([otlp.ResourceSpans(resource, scopes, schema)])
