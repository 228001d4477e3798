"""Reads a session's steps out of a trace: the commands that ran, and what changed the workspace.

What they mean for a replay is worked out in `traceproof.replay.steps.plan`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from traceproof.commandfacts import args_of, script_of
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.workspace.changes import decode
from traceproof.replay.steps.facts import Change, Command, Stream
from traceproof.spanfacts import COMMAND, operation
from traceproof.workspaces import Step, Workspaces

_STREAMS: dict[Stream, str] = {
    "stdout": semconv.COMMAND_STDOUT,
    "stderr": semconv.COMMAND_STDERR,
    "output": semconv.COMMAND_OUTPUT,
}
_PIDS = (
    semconv.PROCESS_PID,
    semconv.PROCESS_PARENT_PID,
    semconv.PROCESS_GROUP_LEADER_PID,
    semconv.PROCESS_SESSION_LEADER_PID,
)
_NEEDED = dict.fromkeys(
    (*_STREAMS.values(), semconv.COMMAND_SCRIPT, semconv.PROCESS_COMMAND_ARGS,
     semconv.TOOL_CALL_ARGUMENTS),
    sys.maxsize,
)  # fmt: skip
_SECRET = re.compile(r"<SECRET:(\w*(?:KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH)\w*)>")


class Facts(NamedTuple):
    """All that a replay is made of."""

    commands: list[Command]
    changes: list[Change]
    root: Span
    alone: int
    """How many commands the agent ran for itself; they are not replayed."""


def read(reader: TraceReader, workspaces: Workspaces) -> Facts:
    """Read the steps.

    Raises:
        ValueError: the trace is damaged.
    """
    spans = {
        record.span.span_id: record.span for record in reader.records() if not record.from_agent
    }
    root = next((span for span in spans.values() if not span.parent_id), Span("", "", ""))
    commands = [
        _command(reader, span, spans) for span in spans.values() if operation(span) == COMMAND
    ]
    return Facts(
        commands=commands,
        changes=[_change(reader, step, spans) for step in workspaces.steps[1:]],
        root=root,
        alone=sum(not command.tool for command in commands),
    )


def masked_names(commands: Iterable[Command]) -> dict[str, str]:
    """Return variables by which masked secrets may come into outputs, each with its mask."""
    found = {
        name
        for command in commands
        for text in command.outputs.values()
        for name in _SECRET.findall(text)
        if name.isupper() and not name[0].isdigit()
    }
    return {name: f"<SECRET:{name}>" for name in sorted(found)}


def _command(reader: TraceReader, span: Span, spans: dict[str, Span]) -> Command:
    told = reader.inline(span, _NEEDED)
    facts = told.attributes
    above = spans.get(span.parent_id)
    asked = facts.get(semconv.COMMAND_FOR) == "tool" and above is not None
    tool = reader.inline(above, _NEEDED) if asked and above is not None else None
    args = args_of(facts.get(semconv.PROCESS_COMMAND_ARGS))
    code = facts.get(semconv.PROCESS_EXIT_CODE)
    lost = facts.get(semconv.COMMAND_LOST)
    return Command(
        span_id=span.span_id,
        text=script_of(told, tool) if facts.get(semconv.COMMAND_SCRIPT) else "",
        argv=tuple(args),
        shell=_shell(args, str(facts.get(semconv.PROCESS_EXECUTABLE_PATH, ""))),
        folder=str(facts.get(semconv.PROCESS_WORKING_DIRECTORY, "")),
        tool=_tool(tool) if tool is not None else "",
        agent=_sub_agent(tool, spans) if tool is not None else "",
        started=span.start,
        ended=span.end,
        state=str(facts.get(semconv.COMMAND_STATE, "ended")),
        exit_code=code if isinstance(code, int) else None,
        signal=str(facts.get(semconv.COMMAND_SIGNAL, "")),
        outputs=dict(_outputs(facts)),
        lost=lost if isinstance(lost, int) else 0,
        background=bool(facts.get(semconv.COMMAND_OUTLIVED))
        or (tool is not None and 0 < tool.end < span.end),
        terminal=_had_terminal(facts),
        pids=frozenset(_pids(facts)),
    )  # fmt: skip


def _outputs(facts: Attributes) -> Iterator[tuple[Stream, str]]:
    for stream, name in _STREAMS.items():
        value = facts.get(name)
        if isinstance(value, bytes):
            yield stream, value.decode(errors="surrogateescape")
        elif isinstance(value, str):
            yield stream, value


def _had_terminal(facts: Attributes) -> bool:
    streams = facts.get(semconv.COMMAND_STREAMS)
    return isinstance(streams, dict) and "tty" in (streams.get("stdout"), streams.get("stderr"))


def _pids(facts: Attributes) -> Iterator[int]:
    for name in _PIDS:
        pid = facts.get(name)
        if isinstance(pid, int) and pid > 1:
            yield pid


def _shell(args: list[str], executable: str) -> str:
    """Return the shell's path as the agent named it; a login shell's name begins with a dash."""
    named = args[0] if args else ""
    if "/" in named:
        return named
    return executable or PurePath(named.lstrip("-") or "sh").name


def _tool(tool: Span) -> str:
    return str(tool.attributes.get(semconv.TOOL_NAME, "")) or tool.name.removeprefix(
        "execute_tool "
    )


def _sub_agent(tool: Span, spans: dict[str, Span]) -> str:
    above = spans.get(tool.parent_id)
    if above is None or not above.parent_id or operation(above) != "invoke_agent":
        return ""
    return str(above.attributes.get(semconv.AGENT_NAME, "")) or above.name


def _change(reader: TraceReader, step: Step, spans: dict[str, Span]) -> Change:
    owners = dict.fromkeys((step.span_id, *step.shared_with))
    found = [spans[name] for name in owners if name in spans and spans[name].parent_id]
    own = [span for span in found if step.cause != "external"]
    tool = next((span for span in own if operation(span) == "execute_tool"), None)
    return Change(
        number=step.number,
        owners=tuple(span.span_id for span in own),
        name=_tool(tool) if tool else step.name if step.cause == "external" or own else "the agent",
        agent=_sub_agent(tool, spans) if tool else "",
        time=int(step.time.timestamp() * 1e9),
        rows=tuple(decode(reader.resolve(step.changes))) if step.changes else (),
        masked=step.masked,
        left_out=step.left_out,
        tree_after=step.tree_after,
    )
