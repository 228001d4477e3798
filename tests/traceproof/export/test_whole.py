from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import made as story
from traceproof.export.whole import Outgoing, Wanted
from traceproof.recorder import semconv
from traceproof.recorder.conventions import GENAI
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.writer import TraceWriter

ALL = Wanted()


def leaving(path: Path, wanted: Wanted = ALL) -> list[Record]:
    with TraceReader.open(path) as reader:
        outgoing = Outgoing(reader, wanted)
        return [outgoing.whole(record) for record in outgoing.records()]


def by_id(records: list[Record]) -> dict[str, Span]:
    return {record.span.span_id: record.span for record in records}


def test_content_stands_in_the_spans_and_no_reference_is_left(made: Path) -> None:
    spans = by_id(leaving(made))

    names = [name for span in spans.values() for name in span.attributes]
    names += [n for span in spans.values() for event in span.events for n in event.attributes]
    assert [name for name in names if name.startswith(semconv.REF)] == []
    first, tool, root = spans[story.FIRST], spans[story.TOOL], spans[story.ROOT]
    assert json.loads(str(first.attributes[semconv.INPUT_MESSAGES])) == story.ASKED
    assert first.attributes[semconv.RESPONSE_BODY] == b"\x1f\x8b\xff"
    assert tool.attributes[semconv.TOOL_CALL_RESULT] == story.RESULT["response"]
    assert root.events[0].attributes == {"content": "Fix é.py" * 100}


def test_the_files_that_git_did_not_know_stand_in_their_list(made: Path) -> None:
    root = by_id(leaving(made))[story.ROOT]

    assert json.loads(str(root.attributes[semconv.VCS_UNTRACKED])) == [
        {"path": "b.py", "mode": "100644", "content": "print()\n"},
        {"path": "c.bin", "mode": "100644", "content_base64": "/wA="},
    ]


def test_ids_times_and_order_are_the_files(made: Path) -> None:
    with TraceReader.open(made) as reader:
        expected = [(s.trace_id, s.span_id, s.parent_id, s.start, s.end) for s in reader.spans()]

    got = [record.span for record in leaving(made)]

    assert [(s.trace_id, s.span_id, s.parent_id, s.start, s.end) for s in got] == expected


def test_what_never_ended_is_marked_and_ends_with_what_is_known(
    growing: TraceWriter, path: Path
) -> None:
    assert growing.path == path

    records = leaving(path)

    pending = [record for record in records if record.pending]
    assert [record.span.span_id for record in pending] == [story.ROOT]
    root = pending[0].span
    assert root.attributes[semconv.PENDING] is True
    assert root.end == story.START + 5 * story.SECOND
    ended = [record.span.attributes for record in records if not record.pending]
    assert not any(semconv.PENDING in attributes for attributes in ended)


def test_a_later_convention_has_its_names_but_not_for_what_the_agent_said(made: Path) -> None:
    spans = by_id(leaving(made, Wanted(semconv=GENAI)))

    first = spans[story.FIRST].attributes
    assert first["gen_ai.usage.cache_write.input_tokens"] == 200
    assert semconv.CACHE_CREATION_TOKENS not in first


def test_bodies_and_the_agents_spans_may_stay_behind(made: Path) -> None:
    spans = by_id(leaving(made, Wanted(bodies=False, agent_spans=False)))

    assert story.THEIRS not in spans
    assert semconv.REQUEST_BODY not in spans[story.FIRST].attributes
    assert semconv.INPUT_MESSAGES in spans[story.FIRST].attributes


@pytest.mark.parametrize("bodies", [True, False])
def test_of_a_long_output_the_beginning_goes_where_bodies_do_not(
    path: Path, *, bodies: bool
) -> None:
    writer = TraceWriter(path, resource={})
    said = "line\n" * (1 << 18)
    attributes: Attributes = {
        semconv.REF + semconv.COMMAND_STDOUT: writer.text(said),
        semconv.REF + semconv.COMMAND_STDERR: writer.text("short"),
        semconv.COMMAND_STDOUT + semconv.CHUNKS: "[0,9]",
    }
    writer.span(Span(story.TRACE, story.ROOT, "bash", attributes=attributes))
    writer.close()

    (record,) = leaving(path, Wanted(bodies=bodies))

    assert record.span.attributes == {
        semconv.COMMAND_STDOUT: said if bodies else said[: 1 << 20],
        semconv.COMMAND_STDERR: "short",
        **({semconv.COMMAND_STDOUT + semconv.CHUNKS: "[0,9]"} if bodies else {}),
        **({} if bodies else {semconv.CUT: [semconv.COMMAND_STDOUT]}),
    }


def test_what_a_damaged_file_lacks_is_named(path: Path) -> None:
    writer = TraceWriter(path, resource={})
    lost = f"text:{'0' * 64}"
    writer.span(Span(story.TRACE, story.ROOT, "invoke_agent", attributes={semconv.REF + "a": lost}))
    writer.close()

    (record,) = leaving(path)

    assert record.span.attributes == {semconv.MISSING: ["a"]}
