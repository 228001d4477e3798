"""What Claude Code's transcript says beside the conversation: commands, denials, sub-agents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from traceproof.imports.claude_answers import Answers
from traceproof.imports.clock import from_iso
from traceproof.imports.events import Decided, Event, Ran
from traceproof.imports.files import TranscriptFile, opened
from traceproof.proxy.dialects import jsontext, wire
from traceproof.proxy.notes import as_text
from traceproof.recorder import approvals
from traceproof.recorder.messages import Message

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (\d{1,10})(?:\n|$)")
_AGENT = "claude-code"
_LINES = 20
_MOST = 1 << 20


class SubAgent(NamedTuple):
    """What stands beside a sub-agent's file: who it is, and which call started it."""

    agent_id: str = ""
    name: str = ""
    call_id: str = ""
    depth: int = 1


class _Meta(msgspec.Struct, rename="camel"):
    agent_type: str = ""
    tool_use_id: str = ""
    spawn_depth: int = 1


def sub_agent(file: TranscriptFile) -> SubAgent:
    """Read a sub-agent's `.meta.json`, and its id out of its lines; older versions have neither."""
    told = (wire.text(line.get("agentId")) for line in file.first)
    agent_id = next(filter(None, told), "")
    try:
        with opened(file.path.with_suffix(".meta.json")) as beside:
            meta = msgspec.json.decode(beside.read(_MOST), type=_Meta)
    except (OSError, ValueError):
        return SubAgent(agent_id)
    return SubAgent(agent_id, meta.agent_type, meta.tool_use_id, meta.spawn_depth)


def session(path: Path) -> str:
    """Return the session that a sub-agent's file says it is of, or ""."""
    try:
        with opened(path) as file:
            lines = list(islice(iter(lambda: file.readline(_MOST), b""), _LINES))
    except (OSError, ValueError):
        return ""
    for line in lines:
        try:
            record = jsontext.decode(line)
        except ValueError:
            continue
        found = wire.text(wire.record(record).get("sessionId"))
        if found:
            return found
    return ""


def queued(attachment: object) -> str:
    """Return what a person typed while the agent was at work, where an attachment brings that."""
    told = wire.record(attachment)
    origin = wire.record(told.get("origin")).get("kind", "human")
    typed = told.get("commandMode", "prompt") == "prompt" and origin == "human"
    if told.get("type") != "queued_command" or told.get("isMeta") or not typed:
        return ""
    said = told.get("prompt")
    if isinstance(said, str):
        return said
    blocks = (wire.record(block).get("text") for block in wire.items(said))
    return "\n\n".join(text for text in blocks if isinstance(text, str))


def launched(line: dict[str, Any], message: Message) -> tuple[str, str]:
    """Return the sub-agent that a call's result names, and the call; both "" if there is none."""
    agent_id = wire.text(wire.record(line.get("toolUseResult")).get("agentId"))
    ids = [str(part.get("id", "")) for part in message.parts]
    return (agent_id, ids[0]) if agent_id and len(ids) == 1 else ("", "")


def results(line: dict[str, Any], message: Message, answers: Answers) -> Iterator[Event]:
    """Tell what a line of tool results says of the calls: what ran, what was denied."""
    agent_id, time = answers.agent_id, from_iso(line.get("timestamp"))
    for part in message.parts:
        call_id = str(part.get("id", ""))
        text = as_text(part.get("response"))
        denied = approvals.from_result(_AGENT, text, is_error=part.get("is_error"))
        script = answers.scripts.pop(call_id, None)
        if denied is not None:
            yield Decided(call_id, denied.word, agent_id, denied.source, denied.evidence)
            continue
        if answers.mode and not approvals.never_ran(_AGENT, text):
            mode = answers.permission_mode
            yield Decided(call_id, answers.mode, agent_id, mode, approvals.BY_MODE)
        told = line.get("toolUseResult")
        if script is not None and (isinstance(told, dict) or _EXIT_CODE.match(text)):
            ran = Ran(call_id, script, agent_id, "bash", ended=time)
            yield _tell(ran, told, text)


def _tell(ran: Ran, result: object, text: str) -> Ran:
    """Put on a command how it ended, as far as its result says."""
    found = _EXIT_CODE.match(result if isinstance(result, str) else text)
    if found:
        ran.exit_code = int(found[1])
    elif isinstance(result, dict) and "stdout" in result:
        told = [wire.text(result.get(name)) for name in ("stdout", "stderr")]
        ran.output = "\n".join(filter(None, told))
        unclear = ("interrupted", "backgroundTaskId", "returnCodeInterpretation")
        ran.exit_code = None if any(result.get(name) for name in unclear) else 0
    return ran
