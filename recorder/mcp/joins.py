"""Joins the tool calls that reach an MCP server to those that the model asked for.

Sans-io. Some agents name the model's call in what they send (Claude Code and Codex do); else it is
the oldest one of that time that fits by its name and its arguments. The recorder may read a call at
a server before the answer that asks for it, so what finds nothing waits; or after the request that
carries the result, so calls that are over are remembered for a while.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from traceproof.recorder.toolcalls import OpenTool

_MOST_WAITING = 1000
_MOST_OVER = 64
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
_LONGEST_ID = 256
_IDS = ("tooluseid", "toolcallid", "tool_call_id", "callid", "call_id")
"""How a key ends whose value is the model's id of the call: nothing else need be tried."""

_INTERNAL = "exec-"
"""How Codex's ids begin that the model never sees: of calls in a program (code mode)."""


@dataclass(eq=False)
class Wanted:
    """A call that reached a server, on the look for the one that the model asked for."""

    tool: str
    server: str
    time: int
    arguments: object
    meta: Mapping[str, object]
    joined: Callable[[OpenTool | None, str], None]
    """Called once: with the model's call and `exact` or `inferred`, or with None."""

    def __post_init__(self) -> None:
        """Collect what may be the id of the model's call."""
        texts = {key: value for key, value in self.meta.items() if isinstance(value, str)}
        self.ids = frozenset(text for text in texts.values() if len(text) <= _LONGEST_ID)
        self.named = any(
            key.lower().endswith(_IDS) and not value.startswith(_INTERNAL)
            for key, value in texts.items()
        )


class ToolJoiner:
    """Knows the open calls of a session, and the calls at servers that wait for theirs."""

    def __init__(self) -> None:
        self._open: dict[str, OpenTool] = {}
        self._over: deque[OpenTool] = deque(maxlen=_MOST_OVER)
        self._taken: Counter[str] = Counter()
        self._waiting: list[Wanted] = []

    def asked(self, tool: OpenTool) -> None:
        """Learn of a call that the model asked for."""
        self._open[tool.span.span_id] = tool
        self._waiting = [wanted for wanted in self._waiting if not self._settle(wanted)]

    def ended(self, tool: OpenTool) -> None:
        """Learn that a call is over."""
        self._open.pop(tool.span.span_id, None)
        self._over.append(tool)

    def join(self, wanted: Wanted) -> None:
        """Find the model's call of one that reached a server, now or later."""
        if self._settle(wanted):
            return
        self._waiting.append(wanted)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.pop(0).joined(None, "")

    def close(self) -> None:
        """Give up looking."""
        waiting, self._waiting = self._waiting, []
        for wanted in waiting:
            wanted.joined(None, "")

    def _settle(self, wanted: Wanted) -> bool:
        """Tell a call where it belongs, if that is known by now."""
        tool, how = self._find(wanted)
        if tool is not None:
            self._taken[tool.span.span_id] += 1
            wanted.joined(tool, how)
        return tool is not None

    def _find(self, wanted: Wanted) -> tuple[OpenTool | None, str]:
        over = [tool for tool in self._over if tool.span.end >= wanted.time]
        tools = [*over, *self._open.values()]
        for tool in tools:
            if tool.request.call_id in wanted.ids and tool.request.exact:
                return tool, "exact"
        if wanted.named:
            return None, ""
        named = [tool for tool in tools if _names(tool.request.name, wanted)]
        equal = [tool for tool in named if _decoded(tool.request.arguments) == wanted.arguments]
        within = [tool for tool in tools if _mentions(tool, wanted)]
        for found in (equal, named, within):
            if found:
                return min(found, key=self._times_taken), "inferred"
        return None, ""

    def _times_taken(self, tool: OpenTool) -> int:
        """Order calls: those that nothing was found for come first, then the oldest."""
        return self._taken[tool.span.span_id]


def _names(name: str, wanted: Wanted) -> bool:
    """Tell whether a tool's name, as the agent gives it to the model, means one of a server.

    Agents put the server's name before the tool's, and change what is no letter in both; a server
    that is not known by its name is not looked at.
    """
    words = _plain(name)
    tool = _plain(wanted.tool)
    if not tool or not (words == tool or words.endswith(f"_{tool}")):
        return False
    server = _plain(wanted.server)
    before = words.removesuffix(tool).strip("_")
    return not server or not before or before.endswith(server)


def _mentions(tool: OpenTool, wanted: Wanted) -> bool:
    """Tell whether a call is a program that calls the tool: Codex has such."""
    text = _plain(tool.request.arguments)
    return bool(wanted.server) and f"{_plain(wanted.server)}_{_plain(wanted.tool)}" in text


def _plain(name: str) -> str:
    return _NOT_A_LETTER.sub("_", name.lower()).strip("_")


def _decoded(arguments: str) -> object:
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return arguments
