"""Transcripts made up for tests, in the formats that agents write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from traceproof.imports import sources
from traceproof.imports.events import Event
from traceproof.imports.files import TranscriptFile
from traceproof.proxy.dialects import wire

SESSION = "5e551017-0000-4000-8000-000000000001"


def lines(path: Path, records: Iterable[Any]) -> Path:
    """Write JSON Lines; a text stands as it is."""
    texts = (each if isinstance(each, str) else json.dumps(each) for each in records)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def document(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def read(path: Path, notes: wire.Notes | None = None, source: str = "") -> list[Event]:
    """Return what a source tells of a file."""
    notes = notes or wire.Notes()
    file = TranscriptFile(path, notes)
    found = sources.find(file, source)
    others = [TranscriptFile(other, notes) for other in found.others(file)]
    return list(found.read(file, others))


def only(kind: type, events: Iterable[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def stamp(second: int) -> str:
    return f"2026-03-01T10:{second // 60:02}:{second % 60:02}.000Z"


class Claude:
    """The lines of a session of Claude Code, each going on from the one before."""

    def __init__(self, **more: Any) -> None:
        self.records: list[Any] = []
        self.second = 0
        self._more = {"sessionId": SESSION, "version": "2.1.197", "cwd": "/work", **more}

    def add(self, kind: str, **more: Any) -> str:
        """Add a line and return its id."""
        uuid = f"line-{len(self.records)}"
        parent = self.records[-1]["uuid"] if self.records else None
        self.second += 1
        self.records.append(
            {
                "type": kind,
                "uuid": uuid,
                "parentUuid": parent,
                "timestamp": stamp(self.second),
                "isSidechain": False,
                **self._more,
                **more,
            }
        )
        return uuid

    def says(self, text: Any, **more: Any) -> str:
        return self.add("user", message={"role": "user", "content": text}, **more)

    def answers(self, *blocks: Any, key: str = "msg_1", **more: Any) -> str:
        message = {
            "id": key,
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [_block(block) for block in blocks],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }
        return self.add("assistant", message={**message, **more.pop("message", {})}, **more)

    def hears(self, call_id: str, content: Any, *, result: Any = None, **more: Any) -> str:
        block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
        if "is_error" in more:
            block["is_error"] = more.pop("is_error")
        message = {"role": "user", "content": [block]}
        return self.add("user", message=message, toolUseResult=result, **more)


def bash(call_id: str, command: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "Bash", "input": {"command": command}}


def _block(block: Any) -> Any:
    return {"type": "text", "text": block} if isinstance(block, str) else block


class Codex:
    """The lines of a session of Codex."""

    def __init__(self, **meta: Any) -> None:
        self.records: list[Any] = []
        payload = {"id": SESSION, "cwd": "/work", "cli_version": "0.169.0", **meta}
        self.add("session_meta", {"model_provider": "openai", **payload})

    def add(self, kind: str, payload: Any, **more: Any) -> None:
        time = stamp(len(self.records) + 1)
        self.records.append({"timestamp": time, "type": kind, "payload": payload, **more})

    def item(self, kind: str, **more: Any) -> None:
        self.add("response_item", {"type": kind, **more})

    def event(self, kind: str, **more: Any) -> None:
        self.add("event_msg", {"type": kind, **more})

    def says(self, text: str, role: str = "user") -> None:
        self.item("message", role=role, content=[{"type": "input_text", "text": text}])

    def answers(self, text: str) -> None:
        self.item("message", role="assistant", content=[{"type": "output_text", "text": text}])

    def calls(self, call_id: str, command: str) -> None:
        arguments = json.dumps({"cmd": command})
        self.item("function_call", call_id=call_id, name="exec_command", arguments=arguments)

    def hears(self, call_id: str, output: str) -> None:
        self.item("function_call_output", call_id=call_id, output=output)
