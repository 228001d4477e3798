from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceproof.recorder import bodies
from traceproof.recorder.bodies import BodyStore
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

KEYS = ("messages", "system", "tools")
SECRET = "sk-test-0123456789abcdef"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def writer(tmp_path: Path, redactor: Redactor) -> TraceWriter:
    writer = TraceWriter(tmp_path / "trace.zst", resource={}, mask=redactor.mask)
    writer.pending(Span("a" * 32, "b" * 16, "invoke_agent test"))
    return writer


def body(*messages: object, **more: object) -> bytes:
    return json.dumps({"model": "m", "messages": messages, **more}, ensure_ascii=False).encode()


def marked(text: str) -> dict[str, object]:
    block = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
    return {"role": "user", "content": [block]}


def plain(text: str) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def test_bodies_come_back_exactly(writer: TraceWriter) -> None:
    store = BodyStore(writer, KEYS)
    sent = [
        body(plain("é"), marked("b"), system="s" * 9000, tools=[{"name": "t"}]),
        body(plain("é"), plain("b"), marked("c"), system="s" * 9000, tools=[{"name": "t"}]),
        b"not JSON \xff",
        b"x" * 9000,
        b"",
        b'{"messages":[1,2, 3]}',
    ]
    refs = [store.store(data).ref for data in sent]
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert [reader.resolve(ref) for ref in refs] == sent
        assert [b"".join(reader.iter_body(ref)) for ref in refs] == sent


def test_a_resent_conversation_costs_what_is_new(writer: TraceWriter) -> None:
    store = BodyStore(writer, KEYS)
    history = [plain(f"{number}" * 2000) for number in range(50)]
    store.store(body(*history, marked("a")))
    writer.flush()
    before = writer.path.stat().st_size
    store.store(body(*history, plain("a"), marked("b")))
    writer.close()

    assert writer.path.stat().st_size - before < 1000


def test_a_secret_is_masked_and_the_mask_is_listed(writer: TraceWriter, redactor: Redactor) -> None:
    redactor.add("KEY", SECRET)
    store = BodyStore(writer, KEYS)
    data = body(plain("x"), marked(f"é {SECRET}"), metadata=SECRET)
    ref = store.store(data).ref
    writer.close()

    with TraceReader.open(writer.path) as reader:
        masked = data.replace(SECRET.encode(), b"<SECRET:KEY>")
        assert reader.resolve(ref) == masked
        assert [mask.offset for mask in reader.masks(ref)] == [
            masked.index(b"<SECRET:KEY>"),
            masked.rindex(b"<SECRET:KEY>"),
        ]


def test_a_secret_in_a_marker_is_masked(writer: TraceWriter, redactor: Redactor) -> None:
    redactor.add("KEY", SECRET)
    message = {"role": "user", "cache_control": {"type": SECRET}, "content": "x"}
    ref = BodyStore(writer, KEYS).store(body(message)).ref
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert reader.resolve(ref) == body(message).replace(SECRET.encode(), b"<SECRET:KEY>")


def test_an_element_too_large_for_a_line_is_stored_in_parts(
    writer: TraceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_BLOB", 1000)
    data = body(plain("x" * 2000))
    ref = BodyStore(writer, KEYS).store(data).ref
    writer.close()

    with TraceReader.open(writer.path) as reader:
        assert reader.resolve(ref) == data


def test_the_split_is_handed_on(writer: TraceWriter) -> None:
    store = BodyStore(writer, KEYS)
    store.store(body(plain("a")))
    split = store.store(body(plain("a"), plain("b"))).split
    writer.close()

    assert [element.new for element in split.elements("messages")] == [False, True]
