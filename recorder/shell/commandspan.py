"""A shell command's span: made when the command starts, finished when it has ended.

Pure but for `text`, which stores what is too long to stand in a span. Where the span hangs, and
what it is joined to, is the session's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.shell.command import CommandEnd, CommandStart, Output
from traceproof.recorder.span import Attributes, AttributeValue, Span, StatusCode, new_span_id

INLINE = 1024
"""Characters up to which a script or an output stands in the span; longer ones are in a blob."""

Text: TypeAlias = Callable[[str], str]
"""Stores a text and returns the reference to it: `SpanSink.text`."""

_STATUS = {
    "stdout": semconv.COMMAND_STDOUT,
    "stderr": semconv.COMMAND_STDERR,
    "output": semconv.COMMAND_OUTPUT,
}


def command_span(start: CommandStart, text: Text, *, trace_id: str, parent_id: str) -> Span:
    """Make the span of a command that begins."""
    return Span(
        trace_id=trace_id,
        span_id=new_span_id(),
        name=start.name,
        parent_id=parent_id,
        start=start.started,
        attributes=_known(
            {
                semconv.PROCESS_EXECUTABLE_NAME: start.name,
                semconv.PROCESS_EXECUTABLE_PATH: start.executable,
                **_args(start, text),
                semconv.PROCESS_WORKING_DIRECTORY: start.cwd,
                semconv.PROCESS_PID: start.pid,
                semconv.PROCESS_PARENT_PID: start.ppid,
                semconv.PROCESS_SESSION_LEADER_PID: start.sid,
                semconv.PROCESS_GROUP_LEADER_PID: start.pgid,
                semconv.COMMAND_HOOK: start.hook,
                **_put(semconv.COMMAND_SCRIPT, start.script, text),
                semconv.COMMAND_STREAMS: start.streams,
                semconv.COMMAND_MERGED: start.merged,
                semconv.COMMAND_ENVIRONMENT: start.environment,
            }
        ),
    )


def so_far(span: Span, known: CommandEnd) -> Span:
    """Return a copy of a command's span as it is put on record while the command runs."""
    pending = msgspec.structs.replace(span, attributes=dict(span.attributes))
    finish(pending, known)
    pending.attributes[semconv.COMMAND_STATE] = "pending"
    pending.end = 0
    return pending


def finish(span: Span, end: CommandEnd) -> None:
    """Put on a command's span how it ended."""
    span.end = max(end.ended, span.start)
    span.attributes |= _known(
        {
            semconv.COMMAND_STATE: end.state,
            semconv.COMMAND_SIGNAL: end.signal,
            semconv.COMMAND_CPU_USER: end.user_seconds,
            semconv.COMMAND_CPU_SYSTEM: end.system_seconds,
            semconv.COMMAND_MEMORY_PEAK: end.max_rss_bytes,
            semconv.COMMAND_OUTLIVED: end.outlived,
            semconv.COMMAND_LOST: end.lost,
            semconv.COMMAND_FAULT: end.fault,
        }
    )
    for name, output in end.outputs.items():
        span.attributes |= output_attributes(_STATUS[name], output)
    if end.exit_code is not None:
        span.attributes[semconv.PROCESS_EXIT_CODE] = end.exit_code
    failure = end.signal or str(end.exit_code or "")
    if failure:
        span.attributes[semconv.ERROR_TYPE] = failure
        span.status = StatusCode.ERROR


def output_attributes(name: str, output: Output) -> Attributes:
    """Return the attributes that hold one stream; what it said is there even if it is nothing."""
    said: Attributes = {semconv.REF + name: output.ref} if output.ref else {name: output.value}
    more = {
        name + semconv.CHUNKS: output.chunks,
        semconv.REF + name + semconv.CHUNKS: output.chunks_ref,
    }
    return {**said, name + semconv.SIZE: output.size, **_known(more)}


def _args(start: CommandStart, text: Text) -> Attributes:
    """Return the arguments: an array in the span, or the array as JSON in a blob."""
    name = semconv.PROCESS_COMMAND_ARGS
    if sum(map(len, start.args)) <= INLINE:
        return {name: start.args}
    return {semconv.REF + name: text(msgspec.json.encode(start.args).decode())}


def _put(name: str, value: str, text: Text) -> Attributes:
    return {name: value} if len(value) <= INLINE else {semconv.REF + name: text(value)}


def _known(attributes: Mapping[str, AttributeValue | None]) -> Attributes:
    """Leave out what is empty, zero or false: it does not apply."""
    return {
        name: value
        for name, value in attributes.items()
        if value is not None and (isinstance(value, float) or value)
    }
