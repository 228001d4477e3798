"""What a view reads of a shell command's span, and of the test runs within it.

Pure: from spans to plain values. `traceproof.view` puts them into its tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from traceproof.node import Ran
from traceproof.recorder import semconv
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.commandtext import Fit, Script, wanted
from traceproof.recorder.span import Attributes, AttributeValue, Event, Span

OUTPUTS = {
    "stdout": semconv.COMMAND_STDOUT,
    "stderr": semconv.COMMAND_STDERR,
    "output": semconv.COMMAND_OUTPUT,
}
"""A command's streams; the last is both, where they were one."""

CHANGES = frozenset({semconv.SNAPSHOT_EVENT, semconv.EXTERNAL_CHANGE_EVENT})
"""Events that say what became of the workspace."""

START = "start"
"""How a snapshot is known that no step made: it is how the workspace was before."""

_BAD = frozenset({"failed", "error", "fail", "xpassed"})


def args_of(value: AttributeValue | None) -> list[str]:
    """Return argv, which stands in the span or as JSON in a blob."""
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value, type=list[str])
        except ValueError:  # its beginning alone
            return [value]
    return [str(word) for word in value] if isinstance(value, (list, tuple)) else []


def script_of(span: Span, tool: Span | None = None) -> str:
    """Return what a command ran: without the agent's wrapper, where its call's text is in it."""
    script = str(span.attributes.get(semconv.COMMAND_SCRIPT, ""))
    if tool is not None:
        arguments = str(tool.attributes.get(semconv.TOOL_CALL_ARGUMENTS, ""))
        fit, text = wanted(ToolRequest("", "", arguments)).fit(Script(script))
        if fit is not Fit.NONE and text:
            return text
    return script or " ".join(args_of(span.attributes.get(semconv.PROCESS_COMMAND_ARGS))[1:])


def ran(span: Span, tool: Span | None) -> Ran:
    """Return how a command ran; `tool` is the call that asked for it."""
    attributes = span.attributes
    code = attributes.get(semconv.PROCESS_EXIT_CODE)
    outlived = bool(attributes.get(semconv.COMMAND_OUTLIVED))
    after = tool is not None and 0 < tool.end < span.end
    return Ran(
        args=args_of(attributes.get(semconv.PROCESS_COMMAND_ARGS)),
        cwd=str(attributes.get(semconv.PROCESS_WORKING_DIRECTORY, "")),
        exit_code=code if isinstance(code, int) else None,
        signal=str(attributes.get(semconv.COMMAND_SIGNAL, "")),
        by=str(attributes.get(semconv.COMMAND_FOR, "")),
        join=str(attributes.get(semconv.JOIN, "")),
        merged=bool(attributes.get(semconv.COMMAND_MERGED)),
        background=outlived or after,
        **{name: text_of(attributes.get(of)) for name, of in OUTPUTS.items()},
    )


def text_of(value: AttributeValue | None) -> str | None:
    """Return output as text, None where there is none."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else None


def notes(span: Span) -> list[str]:
    """Return what a reader must not overlook about a command."""
    attributes, told = span.attributes, []
    fault = attributes.get(semconv.COMMAND_FAULT)
    if fault:
        told.append(str(fault))
    elif attributes.get(semconv.COMMAND_STATE) == "cut":
        told.append("how it ended is not known")
    lost = attributes.get(semconv.COMMAND_LOST)
    if isinstance(lost, int) and lost:
        told.append(f"{lost} bytes of output are missing")
    return told


def cases(span: Span) -> Iterator[tuple[str, str, Attributes]]:
    """Yield the cases of a test run: name, how it ended, and all that is known."""
    for event in span.events:
        if event.name == semconv.TEST_CASE:
            told = event.attributes
            ended = told.get(semconv.TEST_CASE_OUTCOME) or told.get(semconv.TEST_CASE_STATUS)
            yield str(told.get(semconv.TEST_CASE_NAME, "")), str(ended or ""), told


def unhappy(span: Span) -> list[str]:
    """Return the cases that failed, by name."""
    return [name for name, ended, _ in cases(span) if ended in _BAD]


def outcome(span: Span) -> str:
    """Say how a test run went: `2 failed, 10 passed`, or its status where no cases are known."""
    counts = {
        name.removeprefix(semconv.TEST_COUNT): count
        for name, count in span.attributes.items()
        if name.startswith(semconv.TEST_COUNT)
    }
    counts = counts or dict(Counter(ended for _, ended, _ in cases(span)))
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return told or str(span.attributes.get(semconv.TEST_RUN_STATUS, ""))


def changed(event: Event) -> str:
    """Say what a snapshot, or a change from outside, found: `M a.py, A b.py`; "" if nothing."""
    paths = event.attributes.get(semconv.SNAPSHOT_PATHS)
    told = ", ".join(map(str, paths)) if isinstance(paths, (list, tuple)) else ""
    if event.name == semconv.EXTERNAL_CHANGE_EVENT and told:
        actor = event.attributes.get(semconv.EXTERNAL_CHANGE_ACTOR, "unknown")
        return f"{told} (from outside: {actor})"
    if event.attributes.get(semconv.SNAPSHOT_BY) == START and told:
        return f"{told} (as it was at the start)"
    return told
