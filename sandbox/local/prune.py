"""Removing the local boxes that nobody owns any more: what a `kill -9` leaves.

Their processes ended with their owner: each box's keeper sees to that. Where a box had a user of
its own, what may be left of it is ended here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from traceproof.sandbox.local import boxfolder, leavings, machine
from traceproof.sandbox.local.keeper.ending import kill_user


def prune(*, everything: bool = False) -> Iterator[Path]:
    """Remove leftover boxes.

    Args:
        everything: those in use as well.

    Yields:
        The folder of each box, when it is gone.

    Raises:
        SandboxError: one cannot be removed.
    """
    for folder in boxfolder.boxes(in_use=everything):
        user = boxfolder.user_of(folder)
        if machine.is_private(user):
            kill_user(user)
            leavings.clear(user)
        boxfolder.remove(folder)
        yield folder
