"""Looks at a command that begins: does it run tests, and what is put into its environment then.

Only variables are added, and only for commands that may run pytest: PYTHONPATH leads to the plugin
(`traceproof.recorder.testruns.inject`), one more says where the recorder listens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.testruns import inject
from traceproof.recorder.testruns.events import Sessions
from traceproof.recorder.testruns.runners import Runner, find
from traceproof.recorder.testruns.words import Command, Pipeline, Script, parse

FOLDER = str(Path(inject.__file__).parent)
"""What stands on PYTHONPATH for a command that may run pytest."""

VARIABLE = "TRACEPROOF_TESTS"
_PYTHONPATH = "PYTHONPATH"

_LOOKS = re.compile(r"\$\{?!?PYTHONPATH|\b(?:env|export|declare|typeset)(?: -p)?\s*(?:$|[|;&>)\n])"
                    r"|\bprintenv\b|/environ\b|\benviron\b|\bcompgen\b")  # fmt: skip
"""What shows that a script looks at its environment: then nothing is put there."""


class Door(NamedTuple):
    """Where the plugin tells: the listener's socket, what a hello must bring, and this command."""

    socket: str
    token: str
    command: str


@dataclass(eq=False)
class TestPlan:
    """What is expected of a command that runs tests, or may; `told` is what the plugin says."""

    __test__ = False  # pytest collects what is called like this

    start: CommandStart
    script: Script
    runners: list[Runner]
    environment: dict[str, str] = field(default_factory=dict)
    told: Sessions = field(default_factory=Sessions)


def plan(start: CommandStart, door: Door | None = None) -> TestPlan | None:
    """Return a plan for a command; None where it runs no tests that anybody could know of.

    Args:
        start: The command; its `environment` must hold PYTHONPATH where that is set.
        door: Where the plugin can reach the recorder; without one the output alone will tell.
    """
    script = parse(start.script) if start.script else _argv(start)
    runners = find(script)
    if not runners:
        return None
    found = TestPlan(start, script, runners)
    if door and any(runner.python for runner in runners) and not _LOOKS.search(start.script):
        found.environment = _environment(start.environment.get(_PYTHONPATH, ""), door)
    return found


def _argv(start: CommandStart) -> Script:
    """Read a command that is no `-c`: a script file that a shell was given."""
    return Script([Pipeline([Command(words=list(start.args))])])


def _environment(before: str, door: Door) -> dict[str, str]:
    if ":" in door.token + door.command or "\0" in door.socket or ":" in FOLDER:
        return {}
    return {
        _PYTHONPATH: f"{FOLDER}:{before}" if before else FOLDER,
        VARIABLE: f"{'s' if before else 'u'}:{door.token}:{door.command}:{door.socket}",
    }
