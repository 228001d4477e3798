from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard

from traceproof.recorder import reader as reader_module
from traceproof.recorder import semconv
from traceproof.recorder.blobs import encode_blob, sha256
from traceproof.recorder.errors import DamagedTrace, ForeignFile, FutureFormat
from traceproof.recorder.frames import FrameWriter
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Masked
from traceproof.recorder.span import Attributes, Event, Span
from traceproof.recorder.writer import TraceWriter

TRACE = "a" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.otlp.jsonl.zst"


@pytest.fixture
def writer(path: Path) -> TraceWriter:
    made = TraceWriter(path, resource={"service.name": "x"})
    made.pending(span("root"))
    return made


def span(name: str, parent: str = "", **attributes: str) -> Span:
    renamed: Attributes = {key.replace("__", "."): value for key, value in attributes.items()}
    return Span(TRACE, sha256(name.encode())[:16], name, parent_id=parent, attributes=renamed)


def names(reader: TraceReader) -> list[tuple[str, bool]]:
    return [(record.span.name, record.pending) for record in reader.records()]


def test_spans_come_in_the_files_order_and_those_in_flight_last(writer: TraceWriter) -> None:
    writer.pending(span("call"))
    writer.span(span("tool", "p"))
    writer.pending(span("cut off", "p"))
    writer.span(span("call"))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        expected = [("tool", False), ("call", False), ("root", True), ("cut off", True)]
        assert names(reader) == expected
        assert names(reader) == expected
        assert reader.problems == []
        assert reader.closed_properly
        assert reader.format_version == 1


def test_a_later_pending_span_replaces_an_earlier(writer: TraceWriter) -> None:
    writer.pending(span("root", prompt="first"))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert reader.root().span.attributes == {"prompt": "first"}
        assert reader.root().pending


def test_a_span_that_has_ended_wins_over_a_pending_one(writer: TraceWriter) -> None:
    writer.span(span("root"))
    writer.pending(span("root"))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert names(reader) == [("root", False)]


def test_the_agents_own_spans_are_told_apart(writer: TraceWriter) -> None:
    writer.span(span("theirs"), resource={semconv.SOURCE: "agent"})
    writer.span(span("root"))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert [record.from_agent for record in reader.records()] == [True, False]
        assert reader.root().span.name == "root"


def test_inlining_puts_content_in_its_place(writer: TraceWriter) -> None:
    text = writer.text("content")
    writer.span(span("call", before="1", traceproof__ref__x=text, after="2"))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        plain, _ = reader.spans()
        inlined, _ = reader.spans(inline=True)
        assert reader.inline(plain) == inlined
    assert list(inlined.attributes.items()) == [("before", "1"), ("x", "content"), ("after", "2")]


def test_events_have_their_content_put_in_its_place_too(writer: TraceWriter) -> None:
    made = span("agent", "p")
    made.events = [Event("prompt", 7, {"traceproof.ref.content": writer.text("fix it")})]
    writer.span(made)
    writer.close()

    with TraceReader.open(writer.path) as reader:
        (event,) = next(reader.spans(inline=True)).events
    assert event == Event("prompt", 7, {"content": "fix it"})


def test_with_limits_only_what_they_name_is_read_and_no_more_of_it(writer: TraceWriter) -> None:
    refs = {name: writer.text(name * 9) for name in ("é", "b", "c")}
    made = span("call", "p", **{f"traceproof__ref__{name}": ref for name, ref in refs.items()})
    writer.span(made)
    writer.close()

    with TraceReader.open(writer.path) as reader:
        plain = next(reader.spans())
        limited = reader.inline(plain, {"é": 5, "b": 9})
    assert limited.attributes == {
        "é": "éé",
        "traceproof.ref.é": refs["é"],
        "b": "b" * 9,
        "traceproof.ref.c": refs["c"],
    }


@pytest.mark.parametrize(
    ("ref", "complaint"),
    [
        ("text:" + "0" * 64, "blob 000000000000 is not in what can be read of the file"),
        ("nonsense", "not a reference to a blob: 'nonsense'"),
    ],
)
def test_a_reference_to_nothing_stays_and_is_noted(
    writer: TraceWriter, ref: str, complaint: str
) -> None:
    writer.span(span("call", traceproof__ref__x=ref))
    writer.close()

    with TraceReader.open(writer.path) as reader:
        call, _ = reader.spans(inline=True)
        assert call.attributes == {"traceproof.ref.x": ref}
        assert reader.problems == [f"span {call.span_id}: traceproof.ref.x: {complaint}"]


def test_content_is_found_without_reading_spans_first(writer: TraceWriter) -> None:
    refs = [writer.blob(bytes([number]) * 700_000) for number in range(5)]
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert reader.resolve(refs[3]) == b"\x03" * 700_000
        assert reader._lines.scanned < len(reader._file.frames)
        assert reader.resolve(refs[0]) == b"\x00" * 700_000


def test_memory_is_bounded_by_the_cache(
    writer: TraceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "CACHE", 100)
    refs = [writer.text(f"{number:050d}") for number in range(20)]
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert [reader.resolve(ref) for ref in refs] == [f"{number:050d}" for number in range(20)]
        assert len(reader._cache) == 1


def lines_to(path: Path, *lines: bytes, finish: bool = True) -> Path:
    frames = FrameWriter()
    data = b"".join(frames.write(line + b"\n") for line in lines)
    path.write_bytes(data + (frames.finish() if finish else frames.flush()))
    return path


def first_line(version: object = 1) -> bytes:
    value = {"intValue": str(version)} if isinstance(version, int) else {"stringValue": version}
    resource = {"attributes": [{"key": semconv.FORMAT, "value": value}]}
    spans = [{"traceId": TRACE, "spanId": "b" * 16, "name": "root"}]
    group = {"resource": resource, "scopeSpans": [{"spans": spans}]}
    return json.dumps({"resourceSpans": [group]}).encode()


def test_a_blob_that_is_not_what_its_hash_says_is_refused(path: Path) -> None:
    name = sha256(b"right")
    lines_to(path, first_line(), encode_blob(name, Masked(b"wrong", [])))

    with (
        TraceReader.open(path) as reader,
        pytest.raises(DamagedTrace, match="is not what its hash says"),
    ):
        reader.blob(name)


@pytest.mark.parametrize("line", [b"not JSON", b'{"resourceSpans":1}', b"[" * 9999, b""])
def test_a_line_that_is_not_otlp_is_noted(path: Path, line: bytes) -> None:
    lines_to(path, first_line(), line)

    with TraceReader.open(path) as reader:
        assert names(reader) == [("root", False)]
        assert len(reader.problems) == 1
        assert "a line is not OTLP" in reader.problems[0]


def test_a_span_with_numbers_that_are_none_is_noted(path: Path) -> None:
    lines_to(path, first_line(), first_line().replace(b'"name"', b'"kind": 99, "name"'))

    with TraceReader.open(path) as reader:
        assert names(reader) == [("root", False)]
        assert reader.problems == [f"span {'b' * 16}: 99 is not a valid SpanKind"]


def test_a_file_that_was_not_closed_says_so(path: Path) -> None:
    lines_to(path, first_line(), finish=False)

    with TraceReader.open(path) as reader:
        assert names(reader) == [("root", False)]
        assert reader.problems == ["the file was not closed: `traceproof repair` ends it"]


def test_a_corrupt_frame_costs_that_frame_alone(path: Path) -> None:
    frames = FrameWriter()
    one = frames.write(first_line() + b"\n") + frames.end_frame()
    two = frames.write(first_line() + b"\n") + frames.end_frame()
    rest = frames.write(first_line().replace(b"root", b"last") + b"\n") + frames.finish()
    path.write_bytes(one + two[:-1] + bytes([two[-1] ^ 1]) + rest)

    with TraceReader.open(path) as reader:
        assert names(reader) == [("root", False), ("last", False)]
        assert len(reader.problems) == 1
        assert reader.problems[0].startswith(f"frame 2 (at byte {len(one)}) cannot be decompressed")


def test_a_corrupt_first_frame_does_not_hide_the_rest(path: Path) -> None:
    frames = FrameWriter()
    one = frames.write(first_line() + b"\n") + frames.end_frame()
    path.write_bytes(
        one[:-1] + bytes([one[-1] ^ 1]) + frames.write(first_line() + b"\n") + frames.finish()
    )

    with TraceReader.open(path) as reader:
        assert names(reader) == [("root", False)]


OTHER_LINE = json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": []}]}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "error", "complaint"),
    [
        (b"", DamagedTrace, "is empty"),
        (b"plain text", ForeignFile, "it is not zstd data"),
        (b"\x1f\x8b\x08gzip", ForeignFile, "it is not zstd data"),
        (zstandard.compress(b"some\ntext\n"), ForeignFile, "no line names a trace format"),
        (zstandard.compress(OTHER_LINE), ForeignFile, "no line names a trace format"),
        (zstandard.compress(first_line(2) + b"\n"), FutureFormat, "format 2.*reads up to 1"),
        (zstandard.compress(first_line("x") + b"\n"), ForeignFile, "format version is no number"),
        (b"\x28\xb5\x2f\xfd", DamagedTrace, "cannot be read"),
        (b"\x28\xb5", DamagedTrace, "cannot be read"),
        (FrameWriter().finish(), DamagedTrace, "no line of it can be read"),
        (zstandard.compress(bytes(300 << 20)), DamagedTrace, "holds more than 256 MiB"),
        (zstandard.compress(b""), DamagedTrace, "no line of it can be read"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_what_is_no_trace_is_refused_in_one_line(
    path: Path, content: bytes, error: type[Exception], complaint: str
) -> None:
    path.write_bytes(content)

    with pytest.raises(error, match=complaint) as caught:
        TraceReader.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TraceReader.open(path)


def test_without_its_root_a_trace_has_none(path: Path) -> None:
    child = first_line().replace(b'"name"', b'"parentSpanId": "c", "name"')
    lines_to(path, child)

    with TraceReader.open(path) as reader, pytest.raises(DamagedTrace, match="the root span"):
        reader.root()


def test_names_of_a_later_convention_are_read_as_the_pinned_ones(writer: TraceWriter) -> None:
    later = "gen_ai.usage.cache_write.input_tokens"
    counted: Attributes = {later: 5}
    writer.span(Span(TRACE, "1" * 16, "chat", attributes=dict(counted)))
    writer.span(
        Span(TRACE, "2" * 16, "theirs", attributes=counted), resource={semconv.SOURCE: "agent"}
    )
    writer.close()

    with TraceReader.open(writer.path) as reader:
        chat, theirs, _ = reader.spans()
        assert chat.attributes == {semconv.CACHE_CREATION_TOKENS: 5}
        assert theirs.attributes == {later: 5}  # an agent's own spans stay as it sent them
