"""Recorded steps made by hand, and a local box to play them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from support import localboxes
from traceproof.recorder.workspace.policy import Policy
from traceproof.recorder.workspace.tree import FILE, Leaf, blob_id
from traceproof.replay.steps.facts import Change, Command
from traceproof.replay.steps.plan import plan
from traceproof.replay.steps.play import Player
from traceproof.replay.steps.report import Report, Step, report
from traceproof.replay.steps.scene import Scene
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Setting

SECOND = 1_000_000_000
FILES = {"a.txt": "one\n", "sub/b.txt": "two\n"}


class Recorded:
    """Contents in memory, and the commands and changes of a session, one each second."""

    def __init__(self, files: Mapping[str, str] = FILES) -> None:
        self.files = files
        self.commands: list[Command] = []
        self.changes: list[Change] = []
        self._contents: dict[str, bytes] = {}
        self.start = {path.encode(): self.leaf(text) for path, text in files.items()}

    def leaf(self, text: str, mode: str = FILE) -> Leaf:
        oid = blob_id("sha1", text.encode())
        self._contents[oid] = text.encode()
        return Leaf(mode, oid)

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        yield self._contents[leaf.oid]

    def ran(
        self, text: str, output: str = "", code: int = 0,
        changed: Mapping[str, str | None] | None = None, **more: Any,
    ) -> Command:  # fmt: skip
        """Add a command, and what it changed."""
        now = (len(self.commands) + len(self.changes) + 1) * SECOND
        told = {
            "text": text, "shell": "/bin/sh", "folder": "", "tool": "Bash", "exit_code": code,
            "outputs": {"output": output}, "started": now, "ended": now + SECOND // 2, **more,
        }  # fmt: skip
        command = Command(span_id=f"c{len(self.commands)}", **told)
        self.commands.append(command)
        if changed:
            self.changed(changed, owners=(command.span_id,), name="Bash")
        return command

    def changed(self, files: Mapping[str, str | None], **more: Any) -> Change:
        """Add a change; without owners it is one from outside."""
        now = (len(self.commands) + len(self.changes) + 1) * SECOND
        rows = tuple(
            (path.encode(), None if text is None else self.leaf(text))
            for path, text in files.items()
        )
        told = {"number": len(self.changes) + 1, "name": "human", "time": now, "rows": rows, **more}
        self.changes.append(Change(**told))
        return self.changes[-1]

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        """A local box with the files."""
        with localboxes.image(self.files) as image:
            yield Scene(
                sandbox=LocalSandbox(),
                image=image,
                setting=Setting(),
                start=self.start,
                contents=self,
                policy=Policy("all but what git ignores", ()),
                root=image.workspace,
            )

    def replay(self, *, network: bool = False) -> Report:
        """Play all of it."""
        actions = plan(self.commands, self.changes, network=network)
        with self.scene() as scene, Player(scene) as player:
            steps = list(player.play(actions, lambda _: None))
            return report(steps, player.notes)


def step(number: int = 1, **more: Any) -> Step:
    """A step's report."""
    return Step(**{"number": number, "kind": "command", "name": "make", **more})
