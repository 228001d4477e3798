"""Runs real programs with the pytest plugin in their environment, and hears what it tells."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.shell.listener import Listener
from traceproof.recorder.testruns.cases import Run
from traceproof.recorder.testruns.peer import Desk
from traceproof.recorder.testruns.plan import Door, plan

Log: TypeAlias = Callable[[str], bytes]
"""Gives what a real tool wrote in a toy project, by its name."""

Steady: TypeAlias = Callable[[bytes], str]
"""Takes from an output what differs from run to run."""


@dataclass
class Heard:
    """What a program did and wrote, and what the plugin told of it."""

    code: int
    stdout: bytes
    stderr: bytes
    runs: list[Run]

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).decode()

    @property
    def run(self) -> Run:
        (run,) = self.runs
        return run

    def outcomes(self) -> dict[str, str]:
        return {case.name.rpartition("::")[2]: str(case.status) for case in self.run.cases}


@dataclass
class Ear:
    """Runs programs in a folder as a command that runs tests."""

    folder: Path
    socket: Path
    environment: dict[str, str]

    def hear(self, argv: list[str], before: Mapping[str, str] | None = None) -> Heard:
        """Run a program with the plugin, as `pytest` in the user's shell would be."""
        environment = {**self.environment, **(before or {})}
        desk = Desk()
        door = Door(str(self.socket), "token", desk.name())
        start = CommandStart(
            "SHELL", "/bin/sh", ("sh", "-c", "pytest"), str(self.folder), 1, 1,
            environment=environment,
        )  # fmt: skip
        found = plan(start, door)
        assert found is not None
        desk.open(door.command, found)
        with Listener(self.socket, "token", {"tests": desk.take}):
            done = self.run(argv, {**environment, **found.environment})
        return Heard(done.returncode, done.stdout, done.stderr, found.told.runs())

    def run(self, argv: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            argv,
            cwd=self.folder,
            env=dict(environment),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def alone(self, argv: list[str], before: Mapping[str, str] | None = None) -> Heard:
        """Run a program without the plugin."""
        done = self.run(argv, {**self.environment, **(before or {})})
        return Heard(done.returncode, done.stdout, done.stderr, [])

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
