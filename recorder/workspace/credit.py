"""Whose a change is: of a command, of a tool call, of several, or of nobody the recorder knows.

A change is known with the moment it left its mark on the disk. A tool call that names the file made
it; so did a command that ran at that moment; else it is of the calls that were open. What
changed while none was open is not the agent's. Pure: no files, no spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from traceproof.recorder.workspace.changes import Change

STEP = 10_000_000
"""Nanoseconds by which a moment on the disk may lie before the true one."""

HUMAN, BACKGROUND, UNKNOWN = "human", "background", "unknown"

COMMAND, PATH, WINDOW = "command", "path", "window"


@dataclass(slots=True)
class Command:
    """A shell command; `ended` is 0 while its shell runs."""

    span_id: str
    tool: str
    """The span of the tool call it is under; empty while that is not known, or for the agent's."""
    started: int
    ended: int = 0
    goes_on: bool = False
    """Its shell ended, and something it started did not."""

    def ran(self, moment: int) -> bool:
        """Tell whether it ran at a moment."""
        return self.started - STEP <= moment and (not self.ended or moment <= self.ended)


@dataclass(slots=True)
class Call:
    """A tool call that is open since an answer asked for it."""

    span_id: str
    opened: int
    paths: frozenset[bytes] = field(default_factory=frozenset)
    able: bool = True
    """Whether it could change a file."""


class Owner(NamedTuple):
    """Whose a change is.

    `spans` are of calls or commands: the first is where it stands, the others share it. With none
    it is an external change, and `actor` says whose.
    """

    spans: tuple[str, ...] = ()
    by: str = ""
    """How that is known: `command`, `path` or `window`."""
    actor: str = ""


class Share(NamedTuple):
    """Changes of one owner."""

    owner: Owner
    changes: list[Change]


def share_out(
    changes: Iterable[Change],
    calls: Sequence[Call],
    commands: Sequence[Command],
    *,
    visitor: str = UNKNOWN,
) -> list[Share]:
    """Say whose the changes of one look are, what changed first first.

    Args:
        changes: those of one look.
        calls: the calls that were open at any moment since the look before.
        commands: the commands that ran at any moment since then.
        visitor: who it was where nobody else can have been: `human` while the agent waits for one.
    """
    shares: dict[Owner, list[Change]] = {}
    for change in changes:
        owner = _owner(change.path, change.when, calls, commands, visitor)
        shares.setdefault(owner, []).append(change)
    found = [Share(owner, own) for owner, own in shares.items()]
    return sorted(found, key=lambda share: max(change.when for change in share.changes))


def _owner(
    path: bytes, moment: int, calls: Sequence[Call], commands: Sequence[Command], visitor: str
) -> Owner:
    open_ids = {call.span_id for call in calls}
    running = [command for command in commands if command.ran(moment)]
    asked = [command for command in running if not command.tool or command.tool in open_ids]
    tied = tuple(command.span_id for command in asked if command.tool)
    named = [call for call in calls if call.able and path in call.paths]
    early = any(moment < call.opened for call in named)
    if named and not (early and tied):
        return Owner(_ids(named), PATH)
    if tied:
        return Owner(tied, COMMAND)
    able = [call for call in calls if call.able and moment >= call.opened - STEP]
    busy = {command.tool for command in commands}
    vague = [call for call in able if not call.paths and call.span_id not in busy]
    if asked:
        loose = tuple(command.span_id for command in asked)
        return Owner((*_ids(vague), *loose), WINDOW if vague else COMMAND)
    in_background = bool(running) or any(command.goes_on for command in commands)
    if vague or (able and not in_background):
        return Owner(_ids(vague or able), WINDOW)
    return Owner(actor=BACKGROUND if in_background else visitor)


def _ids(calls: Sequence[Call]) -> tuple[str, ...]:
    return tuple(call.span_id for call in calls)
