"""The export as another program reads it, one that knows nothing of traceproof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zstandard

from support import made as story
from support import otlp_consumer
from traceproof.export import otlp_lines
from traceproof.export.whole import Wanted
from traceproof.recorder import semconv
from traceproof.recorder.conventions import GENAI
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Event, Link, Span

ALL = Wanted()


def exported(path: Path, wanted: Wanted = ALL) -> list[bytes]:
    with TraceReader.open(path) as reader:
        return list(otlp_lines.lines(reader, wanted))


def read_by_us(path: Path) -> list[Span]:
    """Give the spans as our reader has them, without what is said only of spans that leave."""
    with TraceReader.open(path) as reader:
        return list(reader.spans(inline=True))


def read_by_them(lines: list[bytes]) -> list[Span]:
    return [_span(span) for _, _, span in otlp_consumer.spans(otlp_consumer.read(lines))]


def _span(message: Any) -> Span:
    return Span(
        message.trace_id.hex(),
        message.span_id.hex(),
        message.name,
        message.kind,
        message.parent_span_id.hex(),
        message.start_time_unix_nano,
        message.end_time_unix_nano,
        otlp_consumer.attributes(message),
        [Event(e.name, e.time_unix_nano, otlp_consumer.attributes(e)) for e in message.events],
        [
            Link(link.trace_id.hex(), link.span_id.hex(), otlp_consumer.attributes(link))
            for link in message.links
        ],
        message.status.code,
        message.status.message,
    )


def test_a_consumer_of_otlp_finds_every_span_as_it_was_recorded(made: Path) -> None:
    theirs, ours = read_by_them(exported(made)), read_by_us(made)

    for span in (*theirs, *ours):
        span.attributes.pop(semconv.VCS_UNTRACKED, None)  # holds references until it leaves
    assert theirs == ours


def test_a_line_is_one_span_with_its_resource_and_schema(made: Path) -> None:
    lines = exported(made)

    found = otlp_consumer.spans(otlp_consumer.read(lines))
    assert len(found) == len(lines) == 5
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    schemas = {
        span.name: (resource.schema_url, scope.schema_url) for resource, scope, span in found
    }
    assert schemas["chat claude-sonnet-4-5"] == (semconv.SCHEMA_URL, semconv.SCHEMA_URL)
    assert schemas["llm_request"] == ("", "")
    names = {
        otlp_consumer.attributes(resource.resource)["service.name"] for resource, _, _ in found
    }
    assert names == {"traceproof", "claude-code"}


def test_nothing_on_a_line_refers_to_a_trace_file(made: Path) -> None:
    text = b"".join(exported(made))

    for word in (b"traceproofBlobs", b"traceproofPending", semconv.REF.encode()):
        assert word not in text


def test_another_convention_names_its_own_schema(made: Path) -> None:
    found = otlp_consumer.spans(otlp_consumer.read(exported(made, Wanted(semconv=GENAI))))

    chats = [scope.schema_url for _, scope, span in found if span.name.startswith("chat")]
    assert chats == [GENAI.schema_url] * 2


def test_compressed_it_is_a_trace_file_again(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.otlp.jsonl.zst"
    again.write_bytes(zstandard.compress(b"".join(exported(made))))

    ours, again_ours = read_by_us(made), read_by_us(again)

    assert [span.span_id for span in again_ours] == [span.span_id for span in ours]
    assert again_ours[0].attributes == ours[0].attributes
    assert story.ROOT in {span.span_id for span in again_ours}
