"""`verify` that is killed at any moment, or has no room to work in: one line, and nothing is left.

The disks are real ones, mounted for the test.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from docker.errors import ImageNotFound

from support.boxes import NOTHING, left_by
from support.workspace import Project
from traceproof.sandbox import owner

TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
TEST = """import unittest

class Test(unittest.TestCase):
    def test_one(self):
        pass
"""
COMMAND = ("--tests", "python -m unittest -q", "--axes", "none")
QUICK = ("--max-flake-rate", "0.7")
LONGEST = 12.0
"""Seconds after which a `verify` is killed at the latest: it has built, and is at its runs."""


class Verifier(NamedTuple):
    """A project of one test, and where `verify` is run on it."""

    work: Project
    project: Path
    env: dict[str, str]

    def start(self, *more: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*TRACEPROOF, "verify", "--repo", str(self.work.folder), "--commit", "HEAD", *more],
            cwd=self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *more: str, **env: str) -> tuple[int, str, list[str]]:
        """Give the exit code, what was printed, and the lines by which it says what is wrong."""
        with self.start(*COMMAND, *QUICK, *more, **env) as process:
            out, err = process.communicate()
        lines = [line for line in err.splitlines() if line.startswith("traceproof: ")]
        return process.returncode, out, lines

    def prune(self) -> None:
        subprocess.run(
            [*TRACEPROOF, "sandbox", "prune"],
            cwd=self.project, env=self.env, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def left(self) -> list[str]:
        """What lies in the folder for temporary files, besides the lock of local boxes."""
        found = Path(self.env["TMPDIR"]).rglob("*")
        return sorted(str(path) for path in found if path.is_file() and path.name != "lock")


@pytest.fixture
def verifier(tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]) -> Verifier:
    work = Project(tmp_path / "work")
    work.write("test_a.py", TEST)
    work.commit()
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)  # so that no store above it is found
    return Verifier(work, project, agent_env(tmp_path))


@pytest.fixture
def made(engine: Any) -> Iterator[list[str]]:
    """Owners of images, which are removed in the end."""
    owners: list[str] = []
    yield owners
    for image in engine.client.images(all=True, filters={"label": ["traceproof=1"]}):
        if (image["Labels"] or {}).get("traceproof.owner") in owners:
            with suppress(ImageNotFound):  # it went with one that was made of it
                engine.client.remove_image(image["Id"], force=True)


# --- killed -------------------------------------------------------------------------------------


def killed(verifier: Verifier, seconds: float) -> str:
    """Start a `verify` and kill it; return its label."""
    with verifier.start("--sandbox", "docker", *COMMAND) as process:
        label = str(owner.of(process.pid))
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return label


@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("base")
def test_killed_at_random_moments_it_leaves_nothing_that_prune_does_not_remove(
    engine: Any, verifier: Verifier, made: list[str]
) -> None:
    seed = time.time_ns()  # not `random`, which pytest-randomly seeds
    moments = random.Random(seed)
    for number in range(5):
        verifier.work.write("number.txt", f"{seed} {number}\n")  # another image has to be built
        verifier.work.commit()
        made.append(killed(verifier, moments.uniform(0.2, LONGEST)))

        verifier.prune()
        if left_by(engine.client, made[-1]) != NOTHING:  # a request that the engine was still at
            verifier.prune()

        assert left_by(engine.client, made[-1]) == NOTHING, f"seed {seed}"
        assert verifier.left() == [], f"seed {seed}"

    with verifier.start("--sandbox", "docker", *COMMAND, *QUICK) as process:
        made.append(str(owner.of(process.pid)))
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.startswith("steady; ")
    assert left_by(engine.client, made[-1]) == NOTHING
    assert verifier.left() == []


# --- full disks ---------------------------------------------------------------------------------


def test_a_store_without_room_for_the_verdict(verifier: Verifier, disk: Callable[..., Any]) -> None:
    full = disk()
    full.fill()

    code, out, lines = verifier.run("--sandbox", "local", TRACEPROOF_STORE=str(full.path / "s"))

    assert (code, out, len(lines)) == (3, "", 1)
    assert "No space left on device" in lines[0]
    assert verifier.left() == []


def test_room_that_ends_while_it_runs(verifier: Verifier, disk: Callable[..., Any]) -> None:
    place = disk("256k")
    reports = place.path / "reports"
    with verifier.start(
        *COMMAND, "--sandbox", "local", "--runs", "20", "--report", str(reports)
    ) as process:
        assert process.stderr is not None
        said = ""
        while not said.startswith("The plan: "):
            said = process.stderr.readline()
            assert said, "it ended too soon"
        place.fill()
        out, err = process.communicate()

    lines = [line for line in err.splitlines() if line.startswith("traceproof: ")]
    assert (process.returncode, out, len(lines)) == (3, "", 1)
    assert "No space left on device" in lines[0]
    assert [path for path in place.path.rglob("*") if path.suffix == ".json"] == []
    assert verifier.left() == []


def test_no_room_for_the_environment(verifier: Verifier, disk: Callable[..., Any]) -> None:
    full = disk()
    full.fill()

    code, out, lines = verifier.run("--sandbox", "local", XDG_CACHE_HOME=str(full.path))

    assert (code, out, len(lines)) == (3, "", 1)
    assert "make room" in lines[0] or "No space left on device" in lines[0]
    assert verifier.left() == []

    full.free()
    assert verifier.run("--sandbox", "local", XDG_CACHE_HOME=str(full.path))[0] == 0


def test_no_room_for_temporary_files_is_no_matter_where_there_is_another_place(
    verifier: Verifier, disk: Callable[..., Any]
) -> None:
    full = disk("64k")
    full.fill()

    assert verifier.run("--sandbox", "local", TMPDIR=str(full.path))[0] == 0
