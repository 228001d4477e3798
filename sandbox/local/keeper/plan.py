"""What a keeper is told when it starts: how its box is. Data alone."""

from __future__ import annotations

import os
from typing import Any, NamedTuple


class Plan(NamedTuple):
    """A box as its keeper sees it."""

    spaces: str
    """`mount`: namespaces made as root; `user`: in a user namespace of its own; empty: none."""
    folder: str
    """The box's folder on this machine: `channel`, `private`, `home`, and without namespaces
    `tmp` and `workspace`."""
    here: str
    """Where that folder is for the commands."""
    source: str
    """What the workspace is a copy of."""
    workspace: str
    """Where the workspace is for the commands."""
    covers: tuple[str, ...]
    """Folders of this machine that the commands are not to see."""
    reveal: tuple[str, ...]
    """What of those they need."""
    network: bool
    file_order: int | None
    work: int
    """The user id of `work`, and of its group. -1: the keeper's own."""
    memory: int
    disk: int
    pids: int
    open_files: int
    file_size: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        """Read it from a message."""
        return cls(**{**told, "covers": tuple(told["covers"]), "reveal": tuple(told["reveal"])})

    def owner(self, user: str) -> tuple[int, int]:
        """Return the user and the group that one of the box's users is."""
        if self.work < 0 or user != "work":
            return os.geteuid(), os.getegid()
        return self.work, self.work
