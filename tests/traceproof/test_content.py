from __future__ import annotations

import threading
from pathlib import Path

import pytest

from support import made as story
from traceproof.content import Content
from traceproof.recorder import semconv
from traceproof.recorder.span import Span


@pytest.fixture
def content(tmp_path: Path) -> Content:
    path = tmp_path / "trace.zst"
    story.write(path)
    return Content(path)


def test_a_value_is_read_only_when_it_is_content(content: Content) -> None:
    first = content.records()[0].span

    assert content.value(first, semconv.INPUT_TOKENS) == 1000
    assert content.value(first, semconv.RESPONSE_BODY) == b"\x1f\x8b\xff"
    assert content.value(first, "unknown") is None


def test_some_content_of_a_span_can_be_had_without_the_rest(content: Content) -> None:
    first = content.records()[0].span

    told = content.with_only(first, semconv.OUTPUT_MESSAGES)

    assert semconv.OUTPUT_MESSAGES in told.attributes
    assert semconv.REF + semconv.REQUEST_BODY in told.attributes


def test_content_that_is_not_there_is_an_error_that_names_it(content: Content) -> None:
    span = Span("", "1" * 16, "", attributes={semconv.REF + "x": f"text:{'0' * 64}"})

    with pytest.raises(ValueError, match=f"span {'1' * 16}: x: "):
        content.value(span, "x")


def test_it_is_closed_once_nobody_reads(content: Content) -> None:
    begun = threading.Event()

    def close() -> None:
        begun.set()
        content.close()

    with content._reading() as reader:
        closing = threading.Thread(target=close)
        closing.start()
        begun.wait()
        assert len(list(reader.records())) == 5
    closing.join()

    with pytest.raises(ValueError, match="the trace is closed"):
        content.problems()


def test_closing_twice_is_closing_once(content: Content) -> None:
    content.close()
    content.close()

    with pytest.raises(ValueError, match="the trace is closed"):
        content.records()
