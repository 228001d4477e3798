"""What a rerun costs beside the tests: our boxes and a bare loop, side by side in one run.

A suite of about five seconds (unittest; half sleeps, half computes) in a workspace of 400 files is
run again and again, with as many at once as there are cores:

- `docker run`: a loop of it, from an image that has the workspace in it, the network off;
- `box`: a box of the docker backend from the same image, one command in it, its end;
- `verify`: the same by `traceproof.replay.runner`, as `verify` does it: with our plugin, and each
  test's outcome;
- `copy`: without an engine, a loop of a copy of the workspace and a process in it; then the same
  `box` and `verify` with the local backend.

Rounds alternate, and within a round the order of the ways, since a shared machine's noise comes and
goes. With `--idle` the suite only sleeps: for a machine that has other work.

    python benchmarks/sandbox.py [--reruns N] [--rounds N] [--engine | --local] [--idle]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traceproof.replay.boxes import Boxes
from traceproof.replay.runner import Runner
from traceproof.replay.runs import Run, Session
from traceproof.replay.testcommand import TestCommand
from traceproof.sandbox import tar
from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.container import remove
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import SandboxUnavailable
from traceproof.sandbox.layout import GRADE, HOME, STASH, WORK
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image, Sandbox, Setting

WORKSPACE = "/home/somebody/project"
COMMAND = ("python3", "-m", "unittest", "-q")
FILES = 400
SUITE = """\
import time
import unittest

IDLE = False


class Suite(unittest.TestCase):
    pass


def add(number):
    def test(self):
        if number % 2 or IDLE:
            time.sleep(0.25)
        else:
            end = time.process_time() + 0.25
            while time.process_time() < end:
                sum(range(1000))

    setattr(Suite, "test_%02d" % number, test)


for number in range(20):
    add(number)
"""
SCRIPT = f"""
set -e
groupadd -g {WORK} work; useradd -u {WORK} -g work -d {HOME} -s /bin/sh work
groupadd -g {GRADE} grade; useradd -u {GRADE} -g grade -d / -s /bin/sh grade
mkdir -p {STASH} {WORKSPACE}
tar -x -C {STASH}
cp -a {STASH}/. {WORKSPACE}
chown -R work:work {STASH} {WORKSPACE}
"""
Way = Callable[[int], object]
_LAST: dict[Way, Callable[[], object]] = {}
"""What a way waits for when all its reruns are through; it is in the time."""


def main() -> None:
    """Measure, and print the figures."""
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        write_tree(tree, SUITE.replace("IDLE = False", f"IDLE = {options.idle}"))
        if not options.local:
            with_engine(tree, options)
        if not options.engine:
            compare("copy", local_ways(tree, Path(name)), options)


def with_engine(tree: Path, options: argparse.Namespace) -> None:
    """Compare where an engine answers."""
    try:
        sandbox = DockerSandbox()
    except SandboxUnavailable as error:
        print(error)
        return
    with engine_ways(sandbox, tree) as ways:
        compare("docker run", ways, options)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reruns", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--idle", action="store_true")
    return parser.parse_args()


def compare(base: str, ways: dict[str, Way], options: argparse.Namespace) -> None:
    """Run rounds of some ways, and print their figures beside the first one's."""
    at_once = os.cpu_count() or 1
    walls: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds):
        names = list(ways)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            walls[name].append(timed(ways[name], options.reruns, at_once))
    print(f"{options.reruns} reruns, {at_once} at once, {options.rounds} rounds")
    print(f"{'':<14}{'median s':>10}{'ratio':>8}{'added ms a rerun':>20}   ratios of the rounds")
    median = statistics.median(walls[base])
    for name, times in walls.items():
        here = statistics.median(times)
        added = 1000 * (here - median) * at_once / options.reruns
        each = " ".join(f"{t / b:.3f}" for t, b in zip(times, walls[base], strict=True))
        print(f"{name:<14}{here:>10.2f}{here / median:>8.3f}{added:>20.0f}   {each}")


def timed(way: Way, reruns: int, at_once: int) -> float:
    """Return the wall time of some reruns, in seconds."""
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(way, range(reruns)))
    _LAST.get(way, int)()
    return time.perf_counter() - start


def write_tree(tree: Path, suite: str) -> None:
    """Write a workspace."""
    for number in range(FILES):
        file = tree / f"package{number % 20}" / f"module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"value = {number}\n" * 200)
    (tree / "test_suite.py").write_text(suite)


@contextmanager
def engine_ways(sandbox: DockerSandbox, tree: Path) -> Iterator[dict[str, Way]]:
    """Give the three ways with the engine; their image is removed in the end."""
    made = build(sandbox.client, tree)
    try:
        image = Image(id=made, workspace=WORKSPACE)
        words = ["docker", "run", "--rm", "--network=none", f"--user={WORK}", f"-w{WORKSPACE}"]
        words += ["-ePYTHONDONTWRITEBYTECODE=1", "--label=traceproof=1"]
        words += [f"--entrypoint={COMMAND[0]}", made, *COMMAND[1:]]
        yield {"docker run": lambda _: passed(words), **ours(sandbox, image)}
    finally:
        sandbox.client.remove_image(made, force=True)


def local_ways(tree: Path, folder: Path) -> dict[str, Way]:
    """Give the three ways without an engine."""
    image = folder / "image"
    (image / "workspace").mkdir(parents=True)
    shutil.copytree(tree, image / "source")
    for path in (folder, image):
        path.chmod(0o755)
    found = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    made = Image(id=str(image), workspace=f"{image}/workspace", environment={"PATH": found})

    def copied(number: int) -> None:
        copy = folder / f"copy{number}"
        shutil.copytree(tree, copy)
        passed(COMMAND, cwd=copy, env={"PATH": found, "PYTHONDONTWRITEBYTECODE": "1"})
        shutil.rmtree(copy)

    return {"copy": copied, **ours(LocalSandbox(), made)}


def ours(sandbox: Sandbox, image: Image) -> dict[str, Way]:
    """Give our two ways."""
    setting = Setting(environment={"PYTHONDONTWRITEBYTECODE": "1"})
    boxes = Boxes(sandbox)
    runner = Runner(boxes, {"final": image}, TestCommand(argv=COMMAND), setting=setting)

    def box(_: int) -> None:
        with sandbox.start(image, setting) as started:
            result = started.run(COMMAND, seconds=600)
        assert result.exit_code == 0, result

    def verify(number: int) -> None:
        run = Run(id=f"{number}", tree="final", axis="same", sessions=(Session(seed=number),))
        (session,) = runner.run(run).sessions
        assert [case.outcome for case in session.cases] == ["passed"] * 20, session

    _LAST[verify] = boxes.settle
    return {"box": box, "verify": verify}


def passed(words: Any, **options: Any) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr


def build(client: Any, tree: Path) -> str:
    """Make an image with the tree in its stash, and at its place."""
    bases = client.images("traceproof/base", filters={"dangling": ["false"]})
    if not bases:
        sys.exit("there is no base image: run `traceproof sandbox base`")
    base = max(bases, key=lambda image: image["Created"])["Id"]
    words = ["docker", "create", "-i", "--network=none", "--user=0:0", "--label=traceproof=1"]
    words += ["--entrypoint=sh", base, "-c", SCRIPT]
    container = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    try:
        stream = b"".join(tar.pack(tree))
        passed_in(["docker", "start", "-ai", container], stream)
        changes = ["ENTRYPOINT []", *(f"LABEL {key}={value}" for key, value in labels().items())]
        made: str = client.commit(container, changes=changes)["Id"]
    finally:
        remove(client, container)
    return made


def passed_in(words: list[str], stdin: bytes) -> None:
    """Run one that reads."""
    subprocess.run(words, input=stdin, capture_output=True, check=True)


if __name__ == "__main__":
    main()
