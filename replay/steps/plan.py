"""From facts to the steps of a replay: in which order, and which of them cannot be replayed.

Pure. Commands come in the order in which they began; what they changed is theirs. Every other
change is a step of its own: an edit by a tool, or one from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from traceproof.replay.steps.facts import Change, Command
from traceproof.replay.steps.network import reach

Kind: TypeAlias = Literal["command", "edit", "external", "agent"]
"""`agent`: what a command changed that the agent ran for itself, and no tool call asked for."""

_FROM_OUTSIDE = frozenset(("SIGINT", "SIGTERM", "SIGKILL", "SIGHUP", "SIGQUIT", "SIGSTOP"))


class Action(msgspec.Struct, kw_only=True):
    """A step to replay."""

    number: int = 0
    kind: Kind
    command: Command | None = None
    changes: list[Change] = []
    skip: str = ""
    """Why it is not done, but its changes are taken from the trace."""
    unsettled: bool = False
    """What it changed is told together with what a later step did: the tree is compared there."""
    notes: list[str] = []

    @property
    def time(self) -> int:
        """When it began, in Unix nanoseconds."""
        return self.command.started if self.command else self.changes[0].time


def plan(
    commands: Iterable[Command], changes: Iterable[Change], *, network: bool = False
) -> list[Action]:
    """Put the steps in order, numbered from 1.

    Args:
        commands: all commands of the session, the agent's own too.
        changes: all changes after the start.
        network: whether steps that need one are done.
    """
    asked, own = _sorted(commands)
    actions = {one.span_id: Action(kind="command", command=one) for one in asked}
    others: list[Action] = []
    for change in sorted(changes, key=lambda change: change.number):
        owner = _owner(change, asked)
        if owner is not None:
            actions[owner.span_id].changes.append(change)
        else:
            others.append(Action(kind=_kind(change, own), changes=[change]))
    ordered = _merged(list(actions.values()), others)
    for number, action in enumerate(ordered, 1):
        action.number = number
        if action.command is not None:
            action.skip = why_not(action.command, network=network)
    _mark_unsettled(ordered)
    _note_parallel(ordered)
    return ordered


def why_not(command: Command, *, network: bool) -> str:
    """Say why a command cannot be replayed; empty where it can."""
    if command.state == "unrecorded":
        return "recording was paused while it ran"
    if command.state in ("running", "pending"):
        return "it was still running when the recording ended"
    if command.state == "cut":
        return "how it ended is not in the trace"
    if command.background:
        return "it went on in the background while later steps ran; a replay runs one at a time"
    if command.signal in _FROM_OUTSIDE:
        return f"it was ended from outside ({command.signal}): by a person, the agent, or a limit"
    found = "" if network else reach(command.text or " ".join(command.argv[1:]))
    return f"it needs a network ({found}): --allow-network" if found else ""


def _sorted(commands: Iterable[Command]) -> tuple[list[Command], set[str]]:
    ordered = sorted(commands, key=lambda command: command.started)
    asked = [command for command in ordered if command.tool]
    return asked, {command.span_id for command in ordered if not command.tool}


def _owner(change: Change, asked: Sequence[Command]) -> Command | None:
    """Return the command that made a change; of several the one that began last."""
    made = [command for command in asked if command.span_id in change.owners]
    return made[-1] if made else None


def _kind(change: Change, own: set[str]) -> Kind:
    if not change.owners:
        return "external"
    return "agent" if own & set(change.owners) else "edit"


def _merged(commands: list[Action], others: list[Action]) -> list[Action]:
    """Put changes between commands by their time; among themselves they stay as numbered."""
    ordered: list[Action] = []
    waiting = list(commands)
    for other in others:
        while waiting and waiting[0].time <= other.time and not _later(waiting[0], other):
            ordered.append(waiting.pop(0))
        ordered.append(other)
    return ordered + waiting


def _later(command: Action, other: Action) -> bool:
    """Tell whether all that a command changed was seen after another change."""
    numbers = [change.number for change in command.changes]
    return bool(numbers) and min(numbers) > other.changes[0].number


def _mark_unsettled(ordered: Sequence[Action]) -> None:
    """Mark the steps within which a shared change was going on."""
    at = {action.command.span_id: at for at, action in enumerate(ordered) if action.command}
    for last, action in enumerate(ordered):
        owners = [at[span] for change in action.changes for span in change.owners if span in at]
        for earlier in ordered[min(owners, default=last) : last]:
            earlier.unsettled = True


def _note_parallel(ordered: Sequence[Action]) -> None:
    for action, other in _overlapping([action for action in ordered if action.command]):
        action.notes.append(f"ran at the same time as step {other.number}; replayed in turn")
        other.notes.append(f"ran at the same time as step {action.number}; replayed in turn")


def _overlapping(ordered: Sequence[Action]) -> Iterator[tuple[Action, Action]]:
    for at, action in enumerate(ordered):
        ended = action.command.ended if action.command else 0
        for other in ordered[at + 1 :]:
            if other.time >= ended:
                break
            yield action, other
