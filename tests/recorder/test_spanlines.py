from __future__ import annotations

import json

import msgspec
import pytest

from traceproof.recorder import otlp
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Event, Span
from traceproof.recorder.spanlines import Envelope, encode, mask_line

ENVELOPE = Envelope.of({"service.name": "x"}, otlp.Scope("traceproof", "1"))
SPAN = Span("a" * 32, "b" * 16, "chat m")


@pytest.mark.parametrize("pending", [False, True])
def test_a_line_is_what_the_structs_would_encode(pending: bool) -> None:
    line = (ENVELOPE.pending_line if pending else ENVELOPE.line)(encode(SPAN))
    decoded = msgspec.json.decode(line, type=otlp.TracesData)

    assert msgspec.json.encode(decoded) == line
    group = json.loads(line)["traceproofPending" if pending else "resourceSpans"][0]
    assert group["resource"]["attributes"][0]["key"] == "service.name"
    assert group["scopeSpans"][0]["scope"] == {"name": "traceproof", "version": "1"}
    assert group["scopeSpans"][0]["spans"][0]["spanId"] == "b" * 16
    assert group["schemaUrl"].startswith("https://opentelemetry.io/schemas/")


def test_what_is_no_unicode_text_is_spelt_out() -> None:
    span = msgspec.structs.replace(
        SPAN, attributes={"file": "odd\udcff", "list": ["\udcfe"]}, events=[Event("\udcfd", 1)]
    )
    wire = msgspec.json.decode(encode(span), type=otlp.Span)

    assert wire.attributes[0].value.string_value == "odd\\udcff"
    assert wire.events[0].name == "\\udcfd"


def test_secrets_are_masked_in_a_line() -> None:
    redactor = Redactor()
    redactor.add("KEY", "s3cret-value-0")
    line = ENVELOPE.line(
        encode(msgspec.structs.replace(SPAN, attributes={"a": "x s3cret-value-0"}))
    )

    assert b"x <SECRET:KEY>" in mask_line(line, redactor.mask)


def test_a_line_without_secrets_is_left_alone() -> None:
    line = ENVELOPE.line(encode(SPAN))

    assert mask_line(line, Redactor().mask) is line


def test_a_mask_within_an_escape_leaves_the_line_json() -> None:
    redactor = Redactor()
    redactor.add("KEY", "nice-s3cret-0")
    span = msgspec.structs.replace(SPAN, attributes={"a": "\nice-s3cret-0 nice-s3cret-0"})
    line = mask_line(ENVELOPE.line(encode(span)), redactor.mask)

    values = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert values[0]["value"]["stringValue"] == "\nice-s3cret-0 <SECRET:KEY>"
