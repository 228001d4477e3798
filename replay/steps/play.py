"""Plays the steps of a session in a box, and compares each with what was recorded.

After each step the workspace is as it was recorded, whatever the replay made of it: so every step
is judged by itself. What is not in the workspace (`.git`, ignored files, `/tmp`) is as the replay
left it.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from traceproof.recorder.workspace.changes import apply
from traceproof.recorder.workspace.tree import Leaf, Tree
from traceproof.replay.steps import trees
from traceproof.replay.steps.compare import Compared, compare, summed
from traceproof.replay.steps.desk import Desk
from traceproof.replay.steps.facts import Command, Stream
from traceproof.replay.steps.plan import Action
from traceproof.replay.steps.report import Step
from traceproof.replay.steps.rules import HOME, LEFT_OUT, MASKED, WORKSPACE, Surroundings
from traceproof.replay.steps.scene import Ended, Room, Scene, limit
from traceproof.sandbox.protocol import Result

_GIT = re.compile(r"(?<![\w-])git(?![\w-])")
_NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Could not resolve host|Network is unreachable"
    r"|Name or service not known|getaddrinfo|No route to host|EAI_AGAIN|ENETUNREACH"
)
_SHOWN_PATHS = 3
_SIGNAL = 128
"""Added to a signal's number, as shells do."""


class Player:
    """Plays steps, one after the other; a context manager, which ends the box."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stack = ExitStack()
        self._recorded = Tree(scene.algorithm)
        for path, leaf in scene.start.items():
            self._recorded.put(path, leaf)
        self._replayed = Tree(scene.algorithm)
        self._foreign: frozenset[bytes] = frozenset()
        self._special: dict[bytes, str] = {}
        self._skipped: list[int] = []
        self._room: Room | None = None
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def skip_to(self, actions: Sequence[Action]) -> None:
        """Take what steps changed from the trace, without replaying them."""
        for action in actions:
            self._expect(action)

    def play(self, actions: Sequence[Action], told: Callable[[Step], None]) -> Iterator[Step]:
        """Yield what came of each step; `told` is called with a step that begins.

        Raises:
            SandboxError: the provider failed.
            ValueError: the trace misses a content.
        """
        self._open()
        for action in actions:
            step = begin(action)
            told(step)
            self._one(action, step)
            yield step

    @property
    def start(self) -> str:
        """The hash of the recorded tree just now."""
        return self._recorded.hash()

    # --- the box ----------------------------------------------------------------------------------

    def _open(self) -> Room:
        """Start a box in which the workspace is as recorded."""
        self._stack.close()
        room = self._room = Room(self._scene, self._stack)
        self._desk = Desk(room.box, self._scene.policy, self._recorded.get, self._scene.algorithm)
        self._replayed = Tree(self._scene.algorithm)
        seen = self._desk.look()
        self._foreign = frozenset(
            path for path in seen if path not in self._scene.start and not self._recorded.get(path)
        )
        self._absorb(seen)
        self._put_right([path for path, _, _ in self._differing()])
        if self._foreign and not self.notes:
            names = ", ".join(sorted(map(_readable, self._foreign))[:_SHOWN_PATHS])
            self.notes.append(
                f"{len(self._foreign)} files that building the environment made are not compared "
                f"({names})"
            )
        return room

    def _absorb(self, seen: Mapping[bytes, Leaf | None]) -> None:
        for path, leaf in sorted(seen.items(), key=lambda row: row[1] is not None):
            if path not in self._foreign or self._recorded.get(path) is not None:
                self._replayed.put(path, leaf)

    def _differing(self) -> list[tuple[bytes, Leaf | None, Leaf | None]]:
        return list(trees.differing(self._recorded, self._replayed))

    def _put_right(self, paths: Sequence[bytes]) -> None:
        """Make paths in the box as they are in the recorded tree."""
        wanted = {path: self._recorded.get(path) for path in paths}
        self._desk.put(wanted, self._scene.contents)
        self._absorb(self._desk.look() if wanted else {})

    # --- one step ---------------------------------------------------------------------------------

    def _one(self, action: Action, step: Step) -> None:
        before = dict.fromkeys(path for change in action.changes for path, _ in change.rows)
        self._expect(action)
        command, room = action.command, self._room
        if command is None or action.skip:
            self._put_right(list(before))
        elif room is not None:
            ended = room.run(command)
            action.skip = ended.missing
            if not action.skip:
                _judge(command, ended, room, step, self._scene.root)
            if ended.result.destroyed:
                step.notes.append(f"the box was destroyed ({ended.result.destroyed}): a new one")
                self._open()
        self._compare_trees(action, step)
        self._settle(action, step)

    def _expect(self, action: Action) -> None:
        """Make the recorded tree what it was after a step."""
        for change in action.changes:
            apply(self._recorded, change.rows)
            for name in change.masked:
                self._special[os.fsencode(name)] = MASKED
            for line in change.left_out:
                self._special[os.fsencode(line.partition(": ")[0])] = LEFT_OUT

    def _compare_trees(self, action: Action, step: Step) -> None:
        self._absorb(self._desk.look())
        if action.unsettled:
            step.notes.append("what it changed is compared with a later step's")
            return
        self._special |= dict.fromkeys(self._desk.large, LEFT_OUT)
        wrong, excused = [], Compared()
        for path, recorded, replayed in self._differing():
            rule = trees.excused(path, self._special)
            if rule:
                excused.use(rule, 1, 0)
                self._replayed.put(path, recorded)
            else:
                wrong.append(path)
                step.paths.append(trees.told(path, recorded, replayed))
        step.tree_recorded, step.tree_replayed = self._recorded.hash(), self._replayed.hash()
        step.rules += summed([excused])
        if action.skip:
            step.paths.clear()
            step.tree_replayed = ""
        self._put_right(wrong)

    def _settle(self, action: Action, step: Step) -> None:
        """Say what came of a step."""
        if action.skip:
            step.status, step.why = "skipped", action.skip
            if action.command is not None:
                self._skipped.append(step.number)
            return
        if step.paths:
            step.why = step.why or f"the workspace: {_told(step)}"
        if step.why:
            step.status = "differs"
            step.after = list(self._skipped)
        else:
            step.status = "normalised" if step.rules else "same"


def begin(action: Action) -> Step:
    """Return the report of a step that has not been done."""
    command, changes = action.command, action.changes
    return Step(
        number=action.number,
        kind=action.kind,
        name=_name(action),
        span=command.span_id if command else next(iter(changes[0].owners), ""),
        tool=command.tool if command else changes[0].name,
        agent=command.agent if command else changes[0].agent,
        snapshots=tuple(change.number for change in changes),
        exit_recorded=_recorded_end(command) if command else "",
        seconds_recorded=(command.ended - command.started) / 1e9 if command else 0.0,
        notes=list(action.notes),
    )


def _name(action: Action) -> str:
    if action.command is not None:
        return action.command.text or " ".join(action.command.argv)
    change = action.changes[0]
    who = f"from outside ({change.name})" if action.kind == "external" else change.name
    paths = [_readable(path) for path, _ in change.rows]
    more = f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    return f"{who}: {', '.join(paths[:_SHOWN_PATHS])}{more}"


def _judge(command: Command, ended: Ended, room: Room, step: Step, root: str) -> None:
    """Compare how a command ended, and what it wrote."""
    result = ended.result
    step.exit_replayed, step.seconds_replayed = _replayed_end(result), result.seconds
    if result.timed_out:
        step.why = f"it did not end within {limit(command):.0f} s"
    elif result.destroyed:
        step.why = f"the box was destroyed: {result.destroyed}"
    elif not step.exit_recorded:
        step.notes.append("how it ended is not in the trace")
    elif step.exit_recorded != step.exit_replayed:
        step.why = f"it ended with {step.exit_replayed}, recorded was {step.exit_recorded}"
    _compare_outputs(command, ended, room, step, root)


def _compare_outputs(command: Command, ended: Ended, room: Room, step: Step, root: str) -> None:
    if not command.outputs:
        step.notes.append("its output was not recorded")
        return
    if command.lost:
        step.notes.append(f"{command.lost} bytes of its output were not recorded: not compared")
        return
    if command.terminal:
        step.notes.append("it had a terminal when it was recorded, and none in the replay")
    git = bool(_GIT.search(command.text))
    moved = room.moved and bool(root)
    then = Surroundings(
        ((WORKSPACE, root),) if moved else (),
        command.pids,
        command.started / 1e9,
        git,
        room.users,
    )
    now = Surroundings(
        ((WORKSPACE, room.box.workspace), (HOME, room.home)) if moved else ((HOME, room.home),),
        frozenset((ended.pid,)) if ended.pid else frozenset(),
        time.time(),
        git,
        room.users,
    )
    found = []
    for stream, recorded in command.outputs.items():
        replayed = _said(ended.result, stream)
        found.append(compare(stream, recorded, replayed, then, now, script=command.text))
        first = found[-1].first
        if first is not None:
            step.lines.append(first)
            step.why = step.why or f"{stream}, line {first.number}"
        if _NO_NETWORK.search(replayed) and not _NO_NETWORK.search(recorded):
            step.notes.append("it asked for a network: --allow-network gives it one")
    step.bytes = sum(one.bytes for one in found)
    step.rules += summed(found)


def _said(result: Result, stream: Stream) -> str:
    data = result.stderr if stream == "stderr" else result.stdout
    return data.decode(errors="surrogateescape")


def _recorded_end(command: Command) -> str:
    if command.signal:
        number = getattr(signal, command.signal, None)
        return str(_SIGNAL + number) if isinstance(number, int) else command.signal
    return "" if command.exit_code is None else str(command.exit_code)


def _replayed_end(result: Result) -> str:
    if result.signal is not None:
        return str(_SIGNAL + result.signal)
    return "" if result.exit_code is None else str(result.exit_code)


def _told(step: Step) -> str:
    shown = [f"{path.path} ({path.what})" for path in step.paths[:_SHOWN_PATHS]]
    more = len(step.paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _readable(path: bytes) -> str:
    return os.fsdecode(path).encode(errors="backslashreplace").decode()
