from __future__ import annotations

from typing import Any

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Link, Span
from traceproof.spantree import SpanTree

ROOT, CALL, TOOL, SUB, HTTP = "root", "call", "tool", "sub", "http"


def span(span_id: str, operation: str, parent: str, start: int, **more: Any) -> Span:
    attributes: Attributes = {semconv.OPERATION_NAME: operation} if operation else {}
    return Span(
        "1" * 32, span_id, span_id, parent_id=parent, start=start, attributes=attributes, **more
    )


SPANS = [
    span(SUB, "invoke_agent", TOOL, 4),
    span(
        TOOL, "execute_tool", ROOT, 3, links=[Link("", CALL, {semconv.LINK_TYPE: "requested_by"})]
    ),
    span(HTTP, "", ROOT, 1),
    span(CALL, "chat", ROOT, 2),
    span(ROOT, "invoke_agent", "", 0),
]


def ids(spans: list[Span]) -> list[str]:
    return [span.span_id for span in spans]


def test_spans_are_in_order_of_time() -> None:
    assert ids(SpanTree(SPANS).spans) == [ROOT, HTTP, CALL, TOOL, SUB]


def test_each_kind_is_found_under_what_it_hangs_on() -> None:
    tree = SpanTree(SPANS)

    assert tree.root is not None
    assert tree.root.span_id == ROOT
    assert ids(tree.children(ROOT, "chat")) == [CALL]
    assert ids(tree.children(ROOT, "")) == [HTTP]
    assert ids(tree.children(TOOL, "invoke_agent")) == [SUB]
    assert ids(tree.requested(CALL)) == [TOOL]
    assert ids(tree.of("invoke_agent")) == [ROOT, SUB]


def test_without_a_root_there_is_none_and_what_is_unknown_has_nothing() -> None:
    tree = SpanTree(SPANS[:-1])

    assert tree.root is None
    assert tree.children("unknown", "chat") == tree.requested("unknown") == []
