"""An answer of Claude Code's transcript put together: each block of it is a line of its own.

Results of its tool calls may come between the lines; they are held back until it is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from traceproof.imports.clock import from_iso
from traceproof.imports.events import Answered, Decided, Event
from traceproof.proxy.dialects import anthropic_response, wire
from traceproof.proxy.dialects.base import ModelError
from traceproof.recorder.approvals import AUTO, BYPASSED

_SYNTHETIC = "<synthetic>"
_BYPASS = "bypassPermissions"
_SHELL = "Bash"
_AGENTS = frozenset({"Task", "Agent"})
_REJECTED = "user_reject"


class Answers:
    """The answers to one agent, one after the other; `key` names the one that is open."""

    def __init__(self, agent_id: str, notes: wire.Notes) -> None:
        self.key = ""
        self.agent_id = agent_id
        self.scripts: dict[str, str] = {}
        """Call id → command, of shell calls without a result."""
        self.permission_mode = self.mode = ""
        """In which mode the agent is, and what that says of a call that nobody denied."""
        self._launches: dict[str, list[tuple[str, str]]] = {}
        self._notes = notes
        self._message: dict[str, Any] = {}
        self._content: list[Any] = []
        self._lines: list[dict[str, Any]] = []
        self._starts: dict[str, int] = {}
        self._time = 0
        self._held: list[Event] = []

    def piece(self, line: dict[str, Any], uuid: str) -> Iterator[Event]:
        """Take an assistant's line; yields the answer before it, if it is of another."""
        message = wire.record(line.get("message"))
        key = wire.text(message.get("id")) or wire.text(line.get("requestId")) or uuid
        if key != self.key or not self._open:
            yield from self.finish()
            self.key = key
            self._lines = [line]
        self._message = {**self._message, **message}
        self._time = from_iso(line.get("timestamp")) or self._time
        content = message.get("content")
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for block in blocks:
            self._block(block)

    def in_mode(self, line: dict[str, Any]) -> None:
        """Take note of the permission mode that a prompt's line names.

        Who runs without a terminal (`-p`) is asked nothing: a call that ran was allowed by a rule.
        """
        mode = wire.text(line.get("permissionMode"))
        if mode:
            headless = wire.text(line.get("entrypoint")).startswith("sdk")
            self.permission_mode = mode
            self.mode = BYPASSED if mode == _BYPASS else AUTO if headless else ""

    def launch(self, prompt: str) -> tuple[str, str]:
        """Return the call that starts a sub-agent with a prompt, and its kind; "" if none does."""
        waiting = self._launches.get(prompt)
        return waiting.pop(0) if waiting else ("", "")

    def interrupted(self) -> None:
        """Take back that somebody denied what was asked: it ran, and was stopped."""
        self._held = [
            event
            for event in self._held
            if not (isinstance(event, Decided) and event.source == _REJECTED)
        ]

    def hold(self, events: Iterable[Event]) -> Iterator[Event]:
        """Pass events on, or keep them until the answer that is open has been told."""
        if self._open:
            self._held += events
        else:
            yield from events

    def finish(self) -> Iterator[Event]:
        """Tell the answer that is open, and what was held back."""
        if self._open:
            yield self._answered()
        yield from self._held
        self._message, self._content, self._lines = {}, [], []
        self._starts, self._held = {}, []

    @property
    def _open(self) -> bool:
        return bool(self._lines)

    def _block(self, block: Any) -> None:
        self._content.append(block)
        if isinstance(block, dict) and block.get("type") == "tool_use":
            call_id = wire.text(block.get("id"))
            self._starts[call_id] = self._time
            asked = wire.record(block.get("input"))
            if block.get("name") == _SHELL:
                self.scripts[call_id] = wire.text(asked.get("command"))
            elif block.get("name") in _AGENTS:
                launch = call_id, wire.text(asked.get("subagent_type"))
                self._launches.setdefault(wire.text(asked.get("prompt")), []).append(launch)

    def _answered(self) -> Answered:
        line, model = self._lines[0], wire.text(self._message.get("model"))
        notes = wire.Notes()
        response = anthropic_response.answer({**self._message, "content": self._content}, notes)
        self._notes.take(notes)
        state = "complete"
        if line.get("isApiErrorMessage"):
            said = response.messages[0].parts[:1] if response.messages else []
            text = wire.text(said[0].get("content")) if said else ""
            response.error = ModelError(wire.text(line.get("error")) or "api_error", text)
            state = "failed"
        synthetic = model == _SYNTHETIC
        return Answered(
            response,
            self.agent_id,
            self._time,
            self.key,
            "" if synthetic else model,
            "anthropic",
            starts=self._starts,
            is_call=not synthetic or state == "failed",
            state=state,
        )
