"""The format itself: golden files, the specification, a reader that shares no code with ours."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from traceproof.recorder import semconv
from traceproof.recorder.blobs import FORMS
from traceproof.recorder.bodies import BodyStore
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.writer import TraceWriter

HERE = Path(__file__).parent
INDEPENDENT = HERE / "independent_reader.py"
GOLDEN = sorted((HERE / "golden").glob("format-*.jsonl"))
SPECIFICATION = HERE.parent.parent / "docs" / "trace-format.md"
SECRET = "sk-test-0123456789abcdef"
PLACEHOLDER = "<SECRET:KEY>"


@pytest.fixture
def independent() -> dict[str, Any]:
    return runpy.run_path(str(INDEPENDENT))


def message(text: str, **more: object) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "text", "text": text, **more}]}


def body(turns: int) -> bytes:
    """A request as an agent sends it: a secret in its midst, a marker on the last message."""
    messages = [message(f"turn {turn} é\n {SECRET if turn % 3 else ''}") for turn in range(turns)]
    marked = message(f"now {SECRET}", cache_control={"type": "ephemeral"})
    request = {"model": "m", "messages": [*messages, marked], "system": SECRET, "tools": [{"a": 1}]}
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.fixture
def session(tmp_path: Path) -> tuple[TraceWriter, dict[str, bytes]]:
    """A trace of ten growing requests, with what each reference in it should give."""
    redactor = Redactor()
    redactor.add("KEY", SECRET)
    writer = TraceWriter(tmp_path / "trace.zst", resource={}, mask=redactor.mask)
    writer._frames._frame_size = 4000
    writer.pending(Span("a" * 32, "f" * 16, "invoke_agent test"))
    store = BodyStore(writer, ("messages", "system", "tools"))
    expected: dict[str, bytes] = {}
    for turn in range(10):
        sent, answer = body(turn), f"data: {SECRET} {turn}\n\n".encode() + bytes([255, turn])
        refs = {store.store(sent).ref: sent, writer.blob(answer): answer}
        refs[writer.text(f"result\n{turn}")] = f"result\n{turn}".encode()
        expected |= {
            ref: data.replace(SECRET.encode(), PLACEHOLDER.encode()) for ref, data in refs.items()
        }
        attributes: Attributes = {
            f"traceproof.ref.{number}": ref for number, ref in enumerate(refs)
        }
        writer.span(Span("a" * 32, f"{turn:016x}", "chat", attributes=attributes))
        writer.flush()
    return writer, expected


@pytest.mark.parametrize("closed", [True, False])
def test_an_independent_reader_gets_the_exact_bodies_and_masks(
    session: tuple[TraceWriter, dict[str, bytes]], independent: dict[str, Any], closed: bool
) -> None:
    writer, expected = session
    if closed:
        writer.close()

    spans, blobs = independent["read"](writer.path)

    assert [span["pending"] for span in spans.values()] == [True] + [False] * 10
    for ref, data in expected.items():
        found, masks = independent["resolve"](blobs, ref)
        places = [match.start() for match in re.finditer(PLACEHOLDER.encode(), data)]
        assert found == data
        assert masks == [[place, "KEY"] for place in places]
    writer.close()


def test_our_reader_agrees_with_it(
    session: tuple[TraceWriter, dict[str, bytes]], independent: dict[str, Any]
) -> None:
    writer, expected = session
    writer.close()
    spans, blobs = independent["read"](writer.path)

    with TraceReader.open(writer.path) as reader:
        for ref, data in expected.items():
            value = reader.resolve(ref)
            assert (value.encode() if isinstance(value, str) else value) == data
            masks = [mask.record() for mask in reader.masks(ref)]
            assert masks == independent["resolve"](blobs, ref)[1]
        ended = [record.span.span_id for record in reader.records() if not record.pending]
        assert ended == [key for key, span in spans.items() if not span["pending"]]
        assert reader.problems == []


def test_the_independent_reader_is_short_and_independent() -> None:
    source = INDEPENDENT.read_text()
    imported = {
        name.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for name in node.names
    }

    assert sum(bool(line.strip()) for line in source.splitlines()) <= 60
    assert "import traceproof" not in source
    assert imported - sys.stdlib_module_names == {"zstandard"}


# --- golden files: one a format version, read forever ---------------------------------------------


def test_every_format_version_has_its_golden_file() -> None:
    versions = [f"format-{version}.jsonl" for version in range(1, semconv.FORMAT_VERSION + 1)]

    assert [path.name for path in GOLDEN] == versions


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_reads_as_it_always_did(golden: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.zst"
    path.write_bytes(zstandard.compress(golden.read_bytes()))

    found = []
    with TraceReader.open(path) as reader:
        for record in reader.records(inline=True):
            span = msgspec.to_builtins(record.span)
            rest = {"from_agent": record.from_agent, "scope": record.scope.name}
            found.append(span | {"pending": record.pending} | rest)
        masks = [
            (reader.resolve(str(value)), mask)
            for span in reader.spans()
            for name, value in span.attributes.items()
            if name.startswith(semconv.REF)
            for mask in reader.masks(str(value))
        ]

    assert found == json.loads(golden.with_suffix(".expected.json").read_text())
    assert len(masks) == 2
    for value, mask in masks:
        data = value.encode() if isinstance(value, str) else value
        assert data[mask.offset :].startswith(b"<SECRET:EXAMPLE_KEY>")


# --- the specification ----------------------------------------------------------------------------


def test_the_specification_names_every_form_and_every_attribute_of_ours() -> None:
    text = SPECIFICATION.read_text()
    ours = {
        value
        for name, value in vars(semconv).items()
        if name.isupper() and isinstance(value, str) and value.startswith("traceproof.")
    }

    assert {name for name in ours if f"`{name}" not in text} == set()
    assert {form for form in FORMS if f"`{form}:" not in text} == set()


def test_the_example_in_the_specification_is_true() -> None:
    text = SPECIFICATION.read_text()
    golden = (HERE / "golden" / "format-1.jsonl").read_text().splitlines()
    example = text.partition("## Worked example")[2]
    shown = re.findall(r"^(\{.*)$", example, re.MULTILINE)

    assert shown
    assert [line for line in shown if line not in golden] == []
