"""The program behind a launcher, from its first line to its last.

The process the agent started runs it, and becomes three: that process, which waits (`watch`), the
shell, and the relay of its output (`relay`). Whatever fails before the shell has been let loose
makes this process the shell, unrecorded.
"""

from __future__ import annotations

import os
import sys
import time

from traceproof.recorder.shim import link, watch
from traceproof.recorder.shim.body import Body
from traceproof.recorder.shim.command import Command
from traceproof.recorder.shim.forked import ForkedBody


def main(settings: dict[str, str], originals: dict[bytes, bytes | None]) -> None:
    """Run a shell, and tell the recorder.

    The program's arguments are one word of the launcher's or, where the launcher is a script, its
    path and the shell's arguments.

    Args:
        settings: What `install` wrote into the program.
        originals: What the user's environment had where the hook has put something else.
    """
    began, until = time.time_ns(), time.monotonic() + link.PATIENCE
    body = Body(sys.argv[1], settings) if settings["machine"] else ForkedBody(sys.argv)
    command = Command(settings, originals, body)
    try:
        control = command.prepare(began, until)
    except Exception:  # noqa: BLE001  # whatever it is, the agent wants its shell
        control = None
    if control is None:
        os._exit(command.replace())
    try:
        waiting = watch.Watch(body, control, command.relay, terminal=command.terminal)
        status, fields = waiting.run()
    except Exception:  # noqa: BLE001  # the shell runs: what is left is to end as it ends
        status, fields = watch.wait_only(body.pid), b""
    if fields:
        watch.finish(control, command.relay, fields)
    body.end_sentinel()
    watch.end_as(status)
