"""The keeper's entry: `python -m traceproof.sandbox.local.keeper DESCRIPTOR OWNER`."""

from __future__ import annotations

import os
import signal
import socket
import sys

from traceproof.sandbox.local.keeper import copying, spaces, syscalls, wire
from traceproof.sandbox.local.keeper.plan import Plan
from traceproof.sandbox.local.keeper.serving import Keeper


def main() -> None:
    """Make the box that the owner asks for, and serve it until the owner is gone."""
    syscalls.die_with_parent(signal.SIGKILL)  # until it is served, its owner's thread waits
    if os.getppid() != int(sys.argv[2]):
        return
    with socket.socket(fileno=int(sys.argv[1])) as line:
        line.set_inheritable(False)  # a command that had it would answer in our place
        told, _ = wire.receive(line)
        if told is None:
            return
        try:
            plan, private = _begin(told)
        except OSError as error:
            failure = {"failed": error.strerror or str(error), "at": error.filename or ""}
            wire.send(line, {**failure, "number": error.errno or 0})
            return
        if not plan.spaces:
            syscalls.die_with_parent(0)
        wire.send(line, {"ready": True})
        Keeper(line, plan, private).serve()
        os._exit(0)  # its owner waits


def _begin(told: wire.Message) -> tuple[Plan, int]:
    plan = Plan.of(told)
    if plan.spaces:
        private = spaces.enter(plan)
    else:
        private = os.open(f"{plan.folder}/private", os.O_DIRECTORY | os.O_CLOEXEC)
        syscalls.become_subreaper()
    if plan.source:
        user, group = plan.owner("work")
        copying.copy_tree(plan.source, plan.workspace, user, group, plan.file_order)
    os.chdir("/")
    return plan, private


if __name__ == "__main__":
    main()
