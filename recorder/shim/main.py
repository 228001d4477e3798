"""The program behind a launcher, from its first line to its last.

Three processes belong to it: the one that the agent started (`outer`), the shell, and the relay of
its output (`relay`). Whatever fails before the shell has been let loose makes the first of them the
shell, unrecorded.
"""

from __future__ import annotations

import os
import sys
import time

from traceproof.recorder.shim import signals, watch
from traceproof.recorder.shim.body import Body
from traceproof.recorder.shim.command import Command, shell
from traceproof.recorder.shim.forked import ForkedBody
from traceproof.recorder.shim.relay import KILLED


def main(settings: dict[str, str], originals: dict[bytes, bytes | None]) -> None:
    """Run a shell, and tell the recorder.

    The program's arguments are one word of the launcher's or, where the launcher is a script, its
    path and the shell's arguments.

    Args:
        settings: What `install` wrote into the program.
        originals: What the user's environment had where the hook has put something else.
    """
    began = time.time_ns()
    try:
        body = Body(sys.argv[1], settings) if settings["machine"] else ForkedBody(sys.argv)
    except Exception:  # noqa: BLE001  # whatever it is, the agent wants its shell
        _become_the_shell(settings)
        return
    try:
        command = Command(settings, originals, body)
    except Exception:  # noqa: BLE001  # likewise
        body.outer.replace(shell(settings), body.arguments, body.environment)
        return
    try:
        control = command.prepare(began)
    except Exception:  # noqa: BLE001  # likewise
        control = None
    if control is None:
        os._exit(command.replace())
    try:
        waiting = watch.Watch(body, control, command.relay, terminal=command.terminal)
        status, fields = waiting.run()
    except EOFError:  # the process that the agent started was killed, and the shell with it
        watch.finish(control, command.relay, KILLED, body.outer)
        os._exit(1)
    except Exception:  # noqa: BLE001  # the shell runs: what is left is to end as it ends
        body.outer.give_up()
        return
    watch.finish(control, command.relay, fields, body.outer)
    body.outer.end_as(status)


def _become_the_shell(settings: dict[str, str]) -> None:
    """Be the shell, where nothing is known yet; the launcher's machine code does that by itself."""
    if settings["machine"]:
        os._exit(1)
    signals.restore(signals.ignored_now())
    os.execv(shell(settings), [os.path.basename(sys.argv[0]), *sys.argv[1:]])  # noqa: S606
