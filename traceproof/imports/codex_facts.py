"""What Codex's transcript says beside the conversation: threads, commands, counts, denials."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from traceproof.imports.clock import from_seconds
from traceproof.imports.events import Ran
from traceproof.imports.files import opened
from traceproof.proxy.dialects import jsontext, wire
from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes

_ROOT = "/root"
_MOST = 4 << 20
_RESULT = re.compile(r'\{.{0,200}?"exit_code"\s*:\s*(-?\d{1,10})', re.DOTALL)


class Thread(NamedTuple):
    """A thread by its first line: its id, its session's, and its parent's where it has one.

    `begins` is the ordinal of the first line that is its own.
    """

    thread: str = ""
    session: str = ""
    parent: str = ""
    agent: str = ""
    name: str = ""
    depth: int = 0
    begins: int = 0


def thread(path: Path) -> Thread:
    """Read whose thread a file is; a file that says nothing is of none."""
    try:
        with opened(path) as file:
            line = wire.record(jsontext.decode(file.readline(_MOST)))
    except (OSError, ValueError):
        return Thread()
    told = wire.record(line.get("payload"))
    source = wire.record(wire.record(wire.record(told.get("source")).get("subagent")))
    spawned = wire.record(source.get("thread_spawn"))
    own = wire.text(told.get("id"))
    path_name = wire.text(told.get("agent_path"))
    parent = wire.text(told.get("parent_thread_id")) or wire.text(spawned.get("parent_thread_id"))
    return Thread(
        own,
        wire.text(told.get("session_id")) or own,
        parent,
        path_name if path_name.startswith(f"{_ROOT}/") else own,
        wire.text(told.get("agent_role")) or wire.text(spawned.get("agent_role")),
        wire.count(spawned.get("depth")) or 1,
        wire.count(told.get("subagent_history_start_ordinal")) or 0,
    )


def session(meta: dict[str, Any]) -> Attributes:
    """Return what the first line says of the session."""
    git = wire.record(meta.get("git"))
    told = {
        semconv.CONVERSATION_ID: meta.get("session_id") or meta.get("id"),
        semconv.AGENT_VERSION: meta.get("cli_version"),
        semconv.PROCESS_WORKING_DIRECTORY: meta.get("cwd"),
        semconv.VCS_REVISION: git.get("commit_hash"),
        semconv.VCS_BRANCH: git.get("branch"),
        semconv.VCS_URL: git.get("repository_url"),
    }
    return {name: value for name, value in told.items() if isinstance(value, str) and value}


def instructions(meta: dict[str, Any]) -> str:
    """Return the system prompt that the first line tells."""
    told = meta.get("base_instructions")
    return wire.text(wire.record(told).get("text")) or wire.text(meta.get("instructions"))


def usage(told: object) -> dict[str, Any]:
    """Return token counts by the names that the API has for them."""
    counts = wire.record(told)
    names = {"input_tokens": "cached_input_tokens", "output_tokens": "reasoning_output_tokens"}
    keys = {"input_tokens": "cached_tokens", "output_tokens": "reasoning_tokens"}
    found: dict[str, Any] = {}
    for name, detail in names.items():
        if wire.count(counts.get(name)) is not None:
            found[name] = counts[name]
        if wire.count(counts.get(detail)) is not None:
            found[f"{name}_details"] = {keys[name]: counts[detail]}
    return found


def script(item: dict[str, Any]) -> str:
    """Return the command that a call of a shell tool asks for; "" for any other call."""
    arguments = item.get("arguments")
    if item.get("type") == "local_shell_call":
        asked: object = item.get("action")
    elif isinstance(arguments, str):
        try:
            asked = jsontext.decode(arguments)
        except ValueError:
            return ""
    else:
        return ""
    found = wire.record(asked).get("cmd", wire.record(asked).get("command"))
    if isinstance(found, list):
        words = [word for word in found if isinstance(word, str)]
        return words[2] if words[1:2] in (["-lc"], ["-c"]) and words[2:] else " ".join(words)
    return wire.text(found)


def command(kind: str, payload: dict[str, Any], agent_id: str, time: int) -> Ran | None:
    """Read an event that tells how a command ended, of this version or an older one."""
    item = wire.record(payload.get("item"))
    if kind == "item_completed" and item.get("type") == "CommandExecution":
        told, call_id = item, wire.text(item.get("id"))
    elif kind == "exec_command_end":
        told, call_id = payload, wire.text(payload.get("call_id"))
    else:
        return None
    args = tuple(word for word in wire.items(told.get("command")) if isinstance(word, str))
    duration = wire.record(told.get("duration"))
    lasted = from_seconds(duration.get("secs")) + (wire.count(duration.get("nanos")) or 0)
    code = told.get("exit_code")
    where = urlsplit(cwd) if (cwd := wire.text(told.get("cwd"))).startswith("file:") else None
    return Ran(
        call_id,
        args[2] if args[1:2] in {("-lc",), ("-c",)} and args[2:] else "",
        agent_id,
        "bash",
        args,
        code if isinstance(code, int) and not isinstance(code, bool) else None,
        unquote(where.path) if where else cwd,
        _output(told),
        max(0, time - lasted) if time else 0,
        time,
    )


def _output(told: dict[str, Any]) -> str | None:
    found = told.get("aggregated_output")
    return found if isinstance(found, str) else None


def exit_code(text: str) -> int | None:
    """Read the exit code in a result of an older version: JSON with metadata."""
    found = _RESULT.search(text[-2000:]) if '"exit_code"' in text[-2000:] else None
    return int(found[1]) if found else None
