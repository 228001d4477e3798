"""A snippet with and without the shim, and whether that is the same."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from itertools import count
from typing import Any, NamedTuple

from support.transparency.cells import Cell
from support.transparency.listener import Heard
from support.transparency.places import short
from support.transparency.rooms import Rooms
from support.transparency.snippets import Snippet
from support.transparency.stdio import BEFORE
from traceproof.recorder.shim.install import ShimFolder

PATIENCE = 30
TRIES = 2

NORMAL = {
    # Which terminal is free, is chance: /dev/pts/3.
    rb"/dev/pts/\d+": b"/dev/pts/N",
    # What bash says of a job that was killed names its pid, in a column of a fixed width.
    rb"(line \d+): +\d+ ([A-Z])": rb"\1: PID \2",
    # What bash says of a job that was started where there is job control: [1] 12345.
    rb"(\[\d+\]) \d{2,}": rb"\1 PID",
}
"""What differs between two runs without the shim as well: patterns, and what stands for them."""


class Way(NamedTuple):
    """One way to reach the shell: where the command is run, and as what."""

    hook: str
    room: str = "here"
    plain: str = "here"


WAYS = {
    "path": Way("path"),
    "shell": Way("shell"),
    "prefix": Way("prefix"),
    "mount": Way("namespace", "mount"),
    "user": Way("namespace", "user", "as user"),
}
ROOT = os.getuid() == 0
USUAL = ("path", "shell", "mount") if ROOT else ("path", "shell", "user")
"""The ways that snippets take in turn."""

EVERY = [name for name, way in WAYS.items() if ROOT or way.room != "mount"]


class Suite:
    """Runs snippets, several at a time.

    Args:
        rooms: Where.
        threads: How many at a time.

    Attributes:
        rooms: The same.
        folder: The launchers to use.
        recorded: Whether a recorder listens to them that we can ask.
        runs: How many commands were run.
    """

    def __init__(self, rooms: Rooms, threads: int) -> None:
        self.folder = rooms.folder
        self.recorded = True
        self.rooms = rooms
        self._threads = ThreadPoolExecutor(threads)
        self.runs = 0
        self._jobs = count()

    def check(self, snippet: Snippet, runs: list[tuple[Cell, str]]) -> None:
        """Run a snippet in cells by ways; fail where anything differs."""
        found = self._threads.map(lambda run: self._differences(snippet, *run), runs)
        differences = [line for lines in found for line in lines]
        assert not differences, "\n".join([snippet.script, *differences])

    def without(self, folder: ShimFolder) -> Suite:
        """Return a suite with launchers of its own, which speak to nobody we know."""
        other = copy(self)
        other.folder = folder
        other.recorded = False
        return other

    def close(self) -> None:
        """Wait for what runs."""
        self._threads.shutdown()

    def _differences(self, snippet: Snippet, cell: Cell, name: str) -> list[str]:
        way, folder = WAYS[name], str(next(self._jobs))
        plain = self._run(snippet, cell, way, folder, shim=False)
        other = self._run(snippet, cell, way, folder, shim=True)
        if seen(plain, snippet, cell) == seen(other, snippet, cell):
            lines = self._unheard(other, snippet, cell) if "late" not in other else []
            return [f"{cell} {name}: {line}" for line in lines]
        again = [self._run(snippet, cell, way, folder, shim=False) for _ in range(TRIES)]
        one, two = seen(plain, snippet, cell), seen(other, snippet, cell)
        steady = all(seen(outcome, snippet, cell) == one for outcome in again)
        verdict = "differs" if steady else "is not the same twice without the shim either"
        return [
            f"{cell} {name} {verdict}:",
            *(
                f"  {key}: {one.get(key)!r}\n  with the shim: {two.get(key)!r}"
                for key in one | two
                if one.get(key) != two.get(key)
            ),
        ]

    def _run(
        self, snippet: Snippet, cell: Cell, way: Way, folder: str, *, shim: bool
    ) -> dict[str, Any]:
        self.runs += 1
        job = snippet.job()
        job["folder"] = self.rooms.job(folder)
        job |= {"stdio": list(cell.kinds), "session": cell.session, "late": cell.late}
        job["patience"] = PATIENCE
        self._lead(job, snippet, way, shim=shim)
        return self.rooms.run(way.room if shim else way.plain, job)

    def _lead(self, job: dict[str, Any], snippet: Snippet, way: Way, *, shim: bool) -> None:
        """Have the job start a shell, or the launcher that stands for it."""
        real = f"/bin/{snippet.shell}"
        job["path"] = real.encode()
        if way.hook == "namespace":
            return
        launcher = self.folder.launcher(way.hook, real)
        if way.hook == "path" and shim:
            job["env"][b"PATH"] = os.fsencode(launcher.parent) + b":" + job["env"][b"PATH"]
        if way.hook == "shell" and job["argv"][0] == snippet.shell.encode():
            job["argv"][0] = os.fsencode(launcher) if shim else real.encode()
        if way.hook == "shell" and shim and b"SHELL" in job["env"]:
            job["env"][b"SHELL"] = os.fsencode(launcher)
        if way.hook == "prefix":
            script = snippet.script.encode("latin-1")
            job["argv"] = [real.encode(), b"-c", script]
            if shim:
                job["argv"] = [os.fsencode(launcher), script]
        if shim:
            job["path"] = os.fsencode(launcher)

    def _unheard(self, outcome: dict[str, Any], snippet: Snippet, cell: Cell) -> list[str]:
        """Return how what the recorder got differs from what the agent saw."""
        if not self.recorded:
            return []
        if snippet.unrecorded:
            known = self.rooms.listener.knows(outcome["pid"])
            return ["it is recorded, and should not be"] if known else []
        heard = self.rooms.listener.take(outcome["pid"])
        lines = []
        status = outcome["status"]
        how, number = ("signal", os.WTERMSIG(status)) if os.WIFSIGNALED(status) else ("code", -1)
        if number < 0:
            number = os.WEXITSTATUS(status)
        if heard.ended.get(how) != str(number):
            lines.append(f"the recorder knows of {heard.ended}, not of {how} {number}")
        if heard.drained.get("lost") != "0":
            lines.append(f"the recorder's streams ended with {heard.drained}")
        if not snippet.deaf:
            lines += _unlike(outcome, heard, snippet, cell)
        return lines


def seen(outcome: dict[str, Any], snippet: Snippet, cell: Cell) -> dict[str, Any]:
    """Return what is to be the same."""
    if "late" in outcome:
        return {"did not end; these had to be killed": [normal(one) for one in outcome["late"]]}
    streams = {number: normal(text) for number, text in outcome["streams"].items()}
    found = {
        "status": outcome["status"],
        "streams": streams,
        "written": {number: normal(text) for number, text in outcome["written"].items()},
        "files": {name: (mode, normal(text)) for name, (mode, text) in outcome["files"].items()},
        "unread": outcome["unread"],
        "terminals": outcome["terminals"],
        "steps left": outcome["steps left"],
    }
    if not snippet.outlives and not cell.terminal:
        found["there at the end"] = outcome["at_exit"]
    return found


def normal(text: bytes) -> bytes:
    """Return bytes without what differs by chance."""
    for pattern, standing in NORMAL.items():
        text = re.sub(pattern, standing, text)
    return text


def _unlike(outcome: dict[str, Any], heard: Heard, snippet: Snippet, cell: Cell) -> list[str]:
    saw = dict(outcome["streams"])
    for number, text in outcome["written"].items():
        before = BEFORE if cell[number] == "append" else b""
        saw[number] = short(text.removeprefix(before))
    got = {1: short(heard.merged or heard.stdout), 2: short(heard.stderr)}
    unrecorded = [int(number) for number in heard.all("unrecorded")]
    lines = []
    for number in (1, 2):
        if number in unrecorded or got[number] == saw.get(number, b""):
            continue
        # What is written to a file after the shell has ended: nobody could tell when that is over.
        if (
            snippet.outlives
            and number in outcome["written"]
            and saw[number].startswith(got[number])
        ):
            continue
        lines.append(
            f"the agent saw {saw.get(number)!r} on {number}, the recorder got {got[number]!r}"
        )
    return lines
