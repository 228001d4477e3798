"""A trace in one row: what a listing shows of it.

It reads spans, never content.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.agents.base import MAIN
from traceproof.recorder.errors import TraceError
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import Attributes, Span


class Summary(msgspec.Struct):
    """Facts about a trace; `started` and `ended` in Unix nanoseconds, 0 where unknown.

    `turns` counts what `is_turn` says, `failed_calls` what `has_failed`. `pending` tells that the
    session's end is not in the file, `error` why it could not be read at all.
    """

    path: Path
    agent: str = ""
    started: int = 0
    ended: int = 0
    turns: int = 0
    calls: int = 0
    failed_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    exit_code: int | None = None
    pending: bool = False
    closed: bool = False
    problems: list[str] = []
    error: str = ""


def summarise(path: Path) -> Summary:
    """Summarise a trace; this never raises on a damaged or foreign file, nor on a missing one."""
    summary = Summary(path)
    try:
        with TraceReader.open(path) as reader:
            for record in reader.records():
                if not record.from_agent:
                    _add(summary, record)
            summary.closed, summary.problems = reader.closed_properly, reader.problems
    except TraceError as error:
        summary.error = str(error)
    except OSError as error:
        summary.error = f"{path}: {error.strerror}"
    return summary


def is_turn(call: Attributes) -> bool:
    """Tell whether a model call is a turn: one of the main purpose that was answered in full.

    What failed (its retry is a call of its own), a side call, and what is in flight are none.
    """
    main = call.get(semconv.CALL_PURPOSE, MAIN) == MAIN
    return main and call.get(semconv.CALL_STATE) == "complete"


def has_failed(call: Attributes) -> bool:
    """Tell whether a model call ended without its answer, or with half of it."""
    return call.get(semconv.CALL_STATE) in {"cut", "refused", "failed"}


def is_asked(tool: Span) -> bool:
    """Tell whether a tool call is one that a model asked for, not what it came to at a server."""
    return semconv.MCP_METHOD not in tool.attributes


def _add(summary: Summary, record: Record) -> None:
    span, attributes = record.span, record.span.attributes
    match attributes.get(semconv.OPERATION_NAME):
        case "chat":
            _add_call(summary, attributes)
        case "execute_tool" if is_asked(span):
            summary.tool_calls += 1
        case "invoke_agent" if not span.parent_id:
            _add_root(summary, span, pending=record.pending)
    summary.ended = max(summary.ended, span.end, *(event.time for event in span.events), 0)


def _add_root(summary: Summary, span: Span, *, pending: bool) -> None:
    code = span.attributes.get(semconv.PROCESS_EXIT_CODE)
    summary.agent = str(span.attributes.get(semconv.AGENT_NAME, ""))
    summary.started, summary.pending = span.start, pending
    summary.exit_code = code if isinstance(code, int) else None


def _add_call(summary: Summary, attributes: Attributes) -> None:
    summary.calls += 1
    summary.turns += is_turn(attributes)
    summary.failed_calls += has_failed(attributes)
    summary.input_tokens += _number(attributes.get(semconv.INPUT_TOKENS))
    summary.output_tokens += _number(attributes.get(semconv.OUTPUT_TOKENS))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
