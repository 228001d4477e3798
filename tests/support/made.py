"""A small trace with all kinds of content: blobs, files, an agent's own spans."""

from __future__ import annotations

import json
from pathlib import Path

from traceproof.recorder import semconv
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Link, Span, SpanKind, StatusCode
from traceproof.recorder.writer import TraceWriter

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT, FIRST, TOOL, LAST, THEIRS = (f"{number:016x}" for number in range(0xA0, 0xA5))
START = 1_763_000_000_123_456_789
SECOND = 1_000_000_000

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Fix é.py"}]}]
CALLED = {"type": "tool_call", "id": "t1", "name": "Bash", "arguments": {"command": "ls"}}
ANSWERED = [{"role": "assistant", "parts": [CALLED], "finish_reason": "tool_call"}]
RESULT = {"type": "tool_call_response", "id": "t1", "response": "a.py\n" * 400}
DONE = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Fixed."}],
        "finish_reason": "stop",
    }
]


def write(path: Path, *, close: bool = True) -> TraceWriter:
    """Write the trace; without `close` as a recorder leaves it that is still at work."""
    writer = TraceWriter(path, resource={"service.name": "traceproof"})
    root = _root(writer)
    writer.pending(root)
    writer.span(_call(writer, FIRST, 1, ASKED, ANSWERED))
    writer.span(
        Span("f" * 32, THEIRS, "llm_request", start=START, end=START + 1, kind=SpanKind.CLIENT),
        resource={semconv.SOURCE: "agent", "service.name": "claude-code"},
    )
    writer.span(_tool(writer))
    asked = [*ASKED, {"role": "assistant", "parts": [CALLED]}, {"role": "user", "parts": [RESULT]}]
    writer.span(_call(writer, LAST, 4, asked, DONE))
    if close:
        root.end = START + 9 * SECOND
        writer.span(root)
        writer.close()
    else:
        writer.flush()
    return writer


def _root(writer: TraceWriter) -> Span:
    files = [
        {"path": "b.py", "mode": "100644", "ref": writer.text("print()\n")},
        {"path": "c.bin", "mode": "100644", "ref": writer.blob(b"\xff\x00")},
    ]
    return Span(
        TRACE,
        ROOT,
        "invoke_agent claude-code",
        start=START,
        attributes={
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.AGENT_NAME: "claude-code",
            semconv.PROCESS_EXIT_CODE: 0,
            semconv.TASK_ID: "T-1",
            semconv.REF + semconv.TASK_CONTRACT: writer.text('{"goal":"green"}'),
            semconv.REF + semconv.VCS_UNTRACKED: writer.text(json.dumps(files)),
            semconv.CONSENT: {"given_by": "Ada", "times": [1, 2.5, True]},
        },
        events=[
            Event(PROMPT_EVENT, START, {semconv.REF + "content": writer.text("Fix é.py" * 100)})
        ],
    )


def _call(
    writer: TraceWriter, span_id: str, second: int, asked: list[dict], said: list[dict]
) -> Span:
    return Span(
        TRACE,
        span_id,
        "chat claude-sonnet-4-5",
        SpanKind.CLIENT,
        ROOT,
        START + second * SECOND,
        START + (second + 1) * SECOND,
        {
            semconv.OPERATION_NAME: "chat",
            semconv.PROVIDER_NAME: "anthropic",
            semconv.REQUEST_MODEL: "claude-sonnet-4-5",
            semconv.CALL_PURPOSE: "main",
            semconv.CALL_STATE: "complete",
            semconv.INPUT_TOKENS: 1000,
            semconv.OUTPUT_TOKENS: 10,
            semconv.CACHE_READ_TOKENS: 700,
            semconv.CACHE_CREATION_TOKENS: 200,
            semconv.FINISH_REASONS: [str(said[0]["finish_reason"])],
            semconv.TIME_TO_FIRST_CHUNK: 0.25,
            semconv.REF + semconv.INPUT_MESSAGES: _list(writer, asked),
            semconv.REF + semconv.OUTPUT_MESSAGES: _list(writer, said),
            semconv.REF + semconv.REQUEST_BODY: writer.blob(json.dumps(asked).encode()),
            semconv.REF + semconv.RESPONSE_BODY: writer.blob(b"\x1f\x8b\xff"),
        },
    )


def _list(writer: TraceWriter, items: list[dict]) -> str:
    parts = [writer.element(json.dumps(item).encode()) for item in items]
    return writer.list_(parts, semconv.INPUT_MESSAGES)


def _tool(writer: TraceWriter) -> Span:
    return Span(
        TRACE,
        TOOL,
        "execute_tool Bash",
        SpanKind.INTERNAL,
        ROOT,
        START + 2 * SECOND,
        START + 3 * SECOND,
        {
            semconv.OPERATION_NAME: "execute_tool",
            semconv.TOOL_NAME: "Bash",
            semconv.TOOL_CALL_ID: "t1",
            semconv.TOOL_CALL_ARGUMENTS: '{"command":"ls"}',
            semconv.TOOL_STATE: "answered",
            semconv.TOOL_IS_ERROR: True,
            semconv.JOIN: "exact",
            semconv.REF + semconv.TOOL_CALL_RESULT: writer.text(str(RESULT["response"])),
        },
        links=[Link(TRACE, FIRST, {semconv.LINK_TYPE: "requested_by"})],
        status=StatusCode.ERROR,
        status_message="exit code 1",
    )
