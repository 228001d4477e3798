"""What a trace tells of a session's steps, as plain values: commands, and changes of the workspace.

Nothing is read here; `traceproof.replaying.reading` fills these in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from traceproof.recorder.workspace.tree import Leaf

Stream: TypeAlias = Literal["stdout", "stderr", "output"]
"""`output` is both, where they were one open file."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A shell command that ran; times are Unix nanoseconds."""

    span_id: str
    text: str
    """What the tool call asked for, without the agent's wrapper; empty: `argv` is all there is."""
    argv: tuple[str, ...] = ()
    shell: str = "/bin/sh"
    folder: str = ""
    tool: str = ""
    """The tool call's name; empty where the agent ran it for itself."""
    agent: str = ""
    """The sub-agent's name; empty for the main one."""
    started: int = 0
    ended: int = 0
    state: str = "ended"
    exit_code: int | None = None
    signal: str = ""
    outputs: Mapping[Stream, str] = {}
    """By stream; bytes that are no UTF-8 as lone surrogates. A stream not recorded is absent."""
    lost: int = 0
    """Bytes of output that are not in the trace."""
    background: bool = False
    """It, or what it started, went on when its tool call had been answered."""
    terminal: bool = False
    pids: frozenset[int] = frozenset()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the workspace at one moment: a snapshot of the trace."""

    number: int
    """As `traceproof checkout --step` counts."""
    owners: tuple[str, ...] = ()
    """The spans of the commands or tool calls that made it; empty for a change from outside."""
    name: str = ""
    """The tool's, or who made it from outside."""
    agent: str = ""
    time: int = 0
    rows: tuple[tuple[bytes, Leaf | None], ...] = ()
    masked: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tree_after: str = ""
