"""What a session and its model calls were given, and what came of it all, as lines of a view.

The task, the system prompt, the tools, the final diff. The system prompt and the tools go with
every call: what an earlier call had already is not read and not told again. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from traceproof.commandfacts import text_of
from traceproof.node import Node
from traceproof.recorder import semconv
from traceproof.recorder.span import AttributeValue, Span

GIVEN = (semconv.SYSTEM_INSTRUCTIONS, semconv.TOOL_DEFINITIONS)
"""What goes with every call beside the conversation: JSON arrays."""

_LARGEST = 16 << 20
"""Bytes of each that are read at most; of an array that is cut nothing can be told."""

_FILE = re.compile(r"^diff --git ", re.MULTILINE)


class Given:
    """What the calls of one trace were given so far."""

    def __init__(self) -> None:
        self._references: set[str] = set()
        self._parts: set[str] = set()

    def limits(self, span: Span) -> dict[str, int]:
        """Name what of a span is to be read, in bytes at most: what no earlier one had."""
        found = {name: str(span.attributes.get(semconv.REF + name, "")) for name in GIVEN}
        new = {name: ref for name, ref in found.items() if ref and ref not in self._references}
        self._references.update(new.values())
        return dict.fromkeys(new, _LARGEST)

    def only_new(self, span: Span) -> Span:
        """Leave of a span's system prompt and tools what no earlier one had."""
        told = {name: span.attributes[name] for name in GIVEN if name in span.attributes}
        if not told:
            return span
        attributes = {name: value for name, value in span.attributes.items() if name not in told}
        for name, value in told.items():
            fresh = [part for part in _array(value) if self._is_new(name, part)]
            if fresh:
                attributes[name] = msgspec.json.encode(fresh).decode()
        return msgspec.structs.replace(span, attributes=attributes)

    def _is_new(self, name: str, part: Any) -> bool:
        key = f"{name} {msgspec.json.encode(part).decode()}"
        is_new = key not in self._parts
        self._parts.add(key)
        return is_new


def nodes(span: Span, at: float) -> Iterator[Node]:
    """Tell what a call, or a connection to a server, was given that none before it had."""
    system = _array(span.attributes.get(semconv.SYSTEM_INSTRUCTIONS))
    if system:
        text = "\n\n".join(map(_text, system))
        yield Node("system", "", f"{len(text):,} characters", at=at, detail=text)
    tools = _array(span.attributes.get(semconv.TOOL_DEFINITIONS))
    if tools:
        names = ", ".join(map(_name, tools))
        detail = "\n".join(msgspec.json.encode(tool).decode() for tool in tools)
        yield Node("tools", "", f"{len(tools)}: {names}", at=at, detail=detail)


def task(root: Span) -> Iterator[Node]:
    """Tell the task that was agreed on, if one was."""
    contract = text_of(root.attributes.get(semconv.TASK_CONTRACT))
    if contract is None:
        return
    try:
        told = msgspec.json.decode(contract)
        detail = msgspec.json.format(contract, indent=2)
    except (ValueError, RecursionError):
        told, detail = {}, contract
    goal = told.get("goal") if isinstance(told, dict) else None
    goals = map(str, goal) if isinstance(goal, list) else [str(goal or "")]
    said = (str(root.attributes.get(semconv.TASK_TYPE) or ""), "; ".join(goals))
    yield Node("task", "", ": ".join(filter(None, said)), detail=detail)


def final_diff(root: Span, at: float) -> Iterator[Node]:
    """Tell what the session changed in all, from start to end."""
    diff = text_of(root.attributes.get(semconv.WORKSPACE_DIFF))
    if not diff:
        return
    is_cut = semconv.REF + semconv.WORKSPACE_DIFF in root.attributes
    number = len(_FILE.findall(diff))
    files = f"{number}{' or more' * is_cut} file{'s' * (number != 1 or is_cut)}"
    node = Node("diff", "", files, at=at, detail=diff)
    node.cut = ["detail"] * is_cut
    yield node


def _array(value: AttributeValue | None) -> list[Any]:
    try:
        decoded = msgspec.json.decode(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return []
    return decoded if isinstance(decoded, list) else []


def _text(part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    return content if isinstance(content, str) else msgspec.json.encode(part).decode()


def _name(tool: Any) -> str:
    told = tool.get("name") or tool.get("type") if isinstance(tool, dict) else None
    return str(told or "?")
