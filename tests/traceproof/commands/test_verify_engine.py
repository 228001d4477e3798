"""`verify` with the Docker engine: what it leaves there when something goes wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from docker.errors import NotFound

from support.engine_relay import relay
from support.workspace import Project

TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
TEST = """import unittest, time

class Test(unittest.TestCase):
    def test_one(self):
        time.sleep(0.2)
"""
DOCKER = ("--sandbox", "docker", "--tests", "python -m unittest -q")
QUICK = ("--max-flake-rate", "0.7", "--axes", "none")

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("base")]


@pytest.fixture(name="work")
def _work(tmp_path: Path) -> Project:
    work = Project(tmp_path / "work")
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-01T00:00:00Z")
    work.environment |= dates  # the same commit in every test: its image is built once
    work.write("test_a.py", TEST)
    work.commit()
    return work


@pytest.fixture(name="docker")
def _docker(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a `verify` with an engine; what is built is kept for all these tests."""
    return {**env, "XDG_CACHE_HOME": str(tmp_path_factory.getbasetemp() / "verify-cache")}


class Place(NamedTuple):
    """Where a verification is started, and the engine that is looked at."""

    engine: Any
    work: Project
    project: Path
    docker: dict[str, str]


@pytest.fixture(name="place")
def _place(engine: Any, work: Project, project: Path, docker: dict[str, str]) -> Place:
    return Place(engine, work, project, docker)


@contextmanager
def verifying(
    work: Project, project: Path, env: dict[str, str], *more: str
) -> Iterator[subprocess.Popen[str]]:
    """Start a verification of many runs, and go on when the first have ended."""
    command = [*TRACEPROOF, "verify", "--repo", str(work.folder), "--commit", "HEAD", *DOCKER]
    with subprocess.Popen(
        [*command, *more],
        cwd=project, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        try:
            seen: list[str] = []
            while not any(line.startswith("The plan: ") for line in seen):
                assert running.stderr
                seen.append(running.stderr.readline())
                assert seen[-1], "".join(seen)
            yield running
        finally:
            running.kill()


def boxes_of(engine: Any, pid: int) -> list[str]:
    """Return the containers that a process has made and left."""
    found = engine.client.containers(all=True, filters={"label": ["traceproof=1"]})
    labels = {one["Id"]: one["Labels"].get("traceproof.owner", "") for one in found}
    return [name for name, owner in labels.items() if f":{pid}:" in owner]


def images(engine: Any) -> set[str]:
    return {image["Id"] for image in engine.client.images("traceproof/environment")}


@pytest.fixture(scope="module", autouse=True)
def _removed(engine: Any) -> Iterator[None]:
    """Remove the image of these tests' project."""
    yield
    for image in built:
        engine.client.remove_image(image, force=True)


built: set[str] = set()


def test_a_second_one_builds_nothing(
    cli: Callable[..., Any], engine: Any, work: Project, docker: dict[str, str]
) -> None:
    arguments = ("verify", "--repo", work.folder, "--commit", "HEAD", *DOCKER, *QUICK, "--json")

    first = cli(*arguments, **docker)
    assert first.code == 0, first.err
    there = images(engine)
    second = cli(*arguments, **docker)

    assert second.code == 0
    assert images(engine) == there
    told = [done.json["verdict"]["environment"] for done in (first, second)]
    assert told[0]["final_image"] == told[1]["final_image"]
    assert told[0]["isolation"] == "container"
    built.add(told[0]["final_image"])


def test_an_image_that_is_missing(
    cli: Callable[..., Any], work: Project, docker: dict[str, str]
) -> None:
    name = f"127.0.0.1:1/nosuch@sha256:{'0' * 64}"
    arguments = ("--repo", work.folder, "--commit", "HEAD", *DOCKER)

    done = cli("verify", *arguments, "--image", name, **docker)

    assert (done.code, done.out) == (3, "")
    assert done.err.count("\n") == 1
    assert name in done.err


def test_no_engine(cli: Callable[..., Any], work: Project, docker: dict[str, str]) -> None:
    where = "unix:///nowhere/docker.sock"
    arguments = ("--repo", work.folder, "--commit", "HEAD", *DOCKER)

    done = cli("verify", *arguments, **{**docker, "DOCKER_HOST": where})

    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"traceproof: cannot connect to the Docker engine at {where}")
    assert done.err.count("\n") == 1


def test_an_engine_that_goes_away(place: Place, tmp_path: Path) -> None:
    with (
        relay(tmp_path / "e.sock") as between,
        verifying(
            place.work, place.project, {**place.docker, "DOCKER_HOST": between.url}
        ) as running,
    ):
        between.cut()
        _, err = running.communicate()

    lines = [line for line in err.splitlines() if line.startswith("traceproof: ")]
    assert running.returncode == 3
    assert len(lines) == 1
    assert "is the engine running" in lines[0]
    assert list((place.project / ".traceproof" / "verdicts").iterdir()) == []
    wait_until_gone(place.engine, running.pid)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_one_that_is_ended_leaves_no_container(
    place: Place, cli: Callable[..., Any], number: signal.Signals, code: int
) -> None:
    with verifying(*place[1:]) as running:
        running.send_signal(number)
        running.communicate()
    assert running.returncode == code
    if number == signal.SIGKILL:
        assert cli("sandbox", "prune", **place.docker).code == 0
        wait_until_gone(place.engine, running.pid)
    assert boxes_of(place.engine, running.pid) == []

    arguments = ("--repo", place.work.folder, "--commit", "HEAD", *DOCKER, *QUICK)
    again = cli("verify", *arguments, "--json", **place.docker)
    assert (again.code, again.json["verdict"]["class"]) == (0, "steady")
    built.add(again.json["verdict"]["environment"]["final_image"])


def wait_until_gone(engine: Any, pid: int) -> None:
    """Wait for containers that end by themselves when their owner does."""
    for name in boxes_of(engine, pid):
        try:
            engine.client.wait(name, condition="removed", timeout=60)
        except NotFound:  # it was removed before we asked
            continue
    assert boxes_of(engine, pid) == []
