"""Runs an agent where a recording cannot begin: without one, unless that is not what was asked for.

It records nothing. Where the agent's traffic is to go elsewhere, a proxy that keeps nothing sees to
that.
"""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from traceproof.network import open_network
from traceproof.outcome import Outcome
from traceproof.proxy.exchange import Discard
from traceproof.recorder.launch import launch
from traceproof.recorder.store import Store
from traceproof.settings import Settings

_PORT_TAKEN = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}
_GRACE = 3.0
"""Seconds that calls under way get to end after the agent has."""


def run_unrecorded(settings: Settings, error: OSError) -> Outcome:
    """Run the agent without recording it, unless that is not what the user asked for.

    Args:
        settings: What was to be recorded.
        error: Why it is not.

    Raises:
        OSError: the port is taken, or nothing is to run unrecorded, or the agent cannot be started.
    """
    if error.errno in _PORT_TAKEN and error.filename is None:
        raise error
    if settings.on_failure == "closed":
        raise OSError(f"the agent was not started, for nothing can be recorded: {line(error)}")
    code = _run(settings, error)
    return Outcome(code, settings.display_name, lost=[f"nothing was recorded: {line(error)}"])


def _run(settings: Settings, error: OSError) -> int:
    """Run the agent; where its traffic is to go elsewhere, through a proxy that keeps nothing.

    Raises:
        OSError: that proxy cannot be had either, so the agent must not be started.
    """
    if not settings.routes:
        return launch(settings.command, settings.environment).wait()
    with tempfile.TemporaryDirectory(prefix="traceproof-") as folder:
        try:
            network = open_network(replace(settings, store=Store(Path(folder))), Discard())
        except OSError:
            raise error from None
        try:
            environment = {**settings.environment, **network.variables}
            return launch(network.command, environment).wait()
        finally:
            network.server.stop(_GRACE)


def line(error: OSError) -> str:
    """Say what failed in one line."""
    where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
