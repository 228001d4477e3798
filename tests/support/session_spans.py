"""Spans of a small session, to be put together as a test needs them."""

from __future__ import annotations

from typing import Any

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Event, Link, Span

TRACE, ROOT = "1" * 32, "a" * 16
SECOND = 1_000_000_000


def root(*events: Event, **more: Any) -> Span:
    told = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.SHELL_HOOKS: ["namespace"],
        semconv.TREE_START: "1" * 40,
        **{getattr(semconv, name): value for name, value in more.items()},
    }
    kept = {name: value for name, value in told.items() if value is not None}
    return Span(TRACE, ROOT, "invoke_agent x", start=0, end=99, attributes=kept, events=[*events])


def chat(span_id: str = "c1", **more: Any) -> Span:
    told = {
        semconv.OPERATION_NAME: "chat",
        semconv.CALL_PURPOSE: "main",
        semconv.CALL_STATE: "complete",
        **{getattr(semconv, name): value for name, value in more.items()},
    }
    return Span(TRACE, span_id, "chat m", parent_id=ROOT, start=1, end=2, attributes=told)


def tool(span_id: str, *events: Event, name: str = "Bash", end: int = 4, **more: Any) -> Span:
    told = {
        semconv.OPERATION_NAME: "execute_tool",
        semconv.TOOL_NAME: name,
        **{getattr(semconv, attribute): value for attribute, value in more.items()},
    }
    links = [Link(TRACE, "c1", {semconv.LINK_TYPE: "requested_by"})]
    return Span(
        TRACE, span_id, f"execute_tool {name}", parent_id=ROOT, start=3, end=end,
        attributes=told, events=[*events], links=links,
    )  # fmt: skip


def command(span_id: str, *, parent: str = "t1", end: int = 4, **more: Any) -> Span:
    told = {
        semconv.PROCESS_EXECUTABLE_NAME: "bash",
        semconv.COMMAND_STATE: "ended",
        **{getattr(semconv, name): value for name, value in more.items()},
    }
    return Span(TRACE, span_id, "bash", parent_id=parent, start=3, end=end, attributes=told)


def suite(span_id: str, status: str, *cases: str, parent: str = "k1", end: int = 4) -> Span:
    told: Attributes = {semconv.TEST_SUITE_NAME: "tests", semconv.TEST_RUN_STATUS: status}
    events = [Event("test.case", end, {semconv.TEST_CASE_NAME: case}) for case in cases]
    return Span(
        TRACE, span_id, "test tests", parent_id=parent, start=3, end=end,
        attributes=told, events=events,
    )  # fmt: skip


def changed(files: int = 1) -> Event:
    return Event(semconv.SNAPSHOT_EVENT, 3, {semconv.SNAPSHOT_FILES: files})


def by_hand(actor: str = "human") -> Event:
    return Event(semconv.EXTERNAL_CHANGE_EVENT, 3, {semconv.EXTERNAL_CHANGE_ACTOR: actor})
