"""One agent of a transcript: its conversation so far, and its open tool calls."""

from __future__ import annotations

from traceproof.imports.tools import Tool
from traceproof.recorder.span import Attributes, Span


class Speaker:
    """What is known of an agent at one moment.

    `names` are the stored messages of its conversation, `context` what goes with each of its calls,
    `last` the time of the last thing that it said or heard.
    """

    def __init__(self, agent_id: str, span: Span) -> None:
        self.agent_id = agent_id
        self.span = span
        self.names: list[str] = []
        self.context: Attributes = {}
        self.last = 0
        self._keys: dict[str, int] = {}
        self._waiting: dict[str, list[Tool]] = {}

    def at(self, time: int) -> int:
        """Take note of a time, and return it."""
        if not self.last:
            self.span.start = self.span.start or time
        self.last = max(self.last, time)
        return time

    def heard(self, key: str, name: str) -> None:
        """Add a message to the conversation."""
        self.names.append(name)
        if key:
            self._keys[key] = len(self.names)

    def back(self, key: str) -> None:
        """Go back to where a message was the last."""
        if key in self._keys:
            del self.names[self._keys[key] :]

    def forget(self) -> None:
        """Begin the conversation anew."""
        self.names.clear()
        self._keys.clear()

    # --- tools ------------------------------------------------------------------------------------

    def ask(self, tool: Tool) -> None:
        """Open a tool call."""
        self._waiting.setdefault(tool.request.call_id, []).append(tool)

    def tool(self, call_id: str) -> Tool | None:
        """Return an open tool call; of several with one id, the first."""
        waiting = self._waiting.get(call_id)
        return waiting[0] if waiting else None

    def answer(self, call_id: str) -> Tool | None:
        """Return an open tool call, which is open no more."""
        waiting = self._waiting.get(call_id)
        if not waiting:
            return None
        tool = waiting.pop(0)
        if not waiting:
            del self._waiting[call_id]
        return tool

    def open_tools(self) -> list[Tool]:
        """Return the tool calls that were never answered, in the order of their ids' first use."""
        return [tool for waiting in self._waiting.values() for tool in waiting]
