"""What a snapshot of a large workspace takes, beside what git takes for the same.

A repository of 50,000 files is made, committed, and left to rest. Then, in turn, so that a busy
machine is equally busy for all: a look where nothing changed, one where three files did, with the
changeset and the diff that the trace gets; the same by asking for every file ourselves, as where
there is no `find`; `git status`; and `git add -A` with `git write-tree` and an index of its own.
Wall time is what a step waits, CPU time what the machine does, children included.

    python benchmarks/workspace.py [FILES [ROUNDS]]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from traceproof.recorder.workspace.lookout import Lookout, Place
from traceproof.recorder.writer import TraceWriter

IN_FOLDER = 50
CHANGED = 3


def make(folder: Path, files: int) -> list[Path]:
    """Make a repository of small Python files, 50 a folder, and commit it."""
    made = []
    for number in range(files):
        inner = folder / f"package{number // (IN_FOLDER * 20)}" / f"part{number // IN_FOLDER % 20}"
        if number % IN_FOLDER == 0:
            inner.mkdir(parents=True, exist_ok=True)
        path = inner / f"module_{number % IN_FOLDER}.py"
        path.write_text(f"# module {number}\n" * 20)
        made.append(path)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "gc.auto=0")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    return made


class Bench:
    """Times things, and remembers."""

    def __init__(self) -> None:
        self.wall: defaultdict[str, list[float]] = defaultdict(list)
        self.cpu: defaultdict[str, list[float]] = defaultdict(list)

    def time(self, name: str, action: Callable[[], object]) -> None:
        """Do something once."""
        before, start = cpu(), time.perf_counter()
        action()
        self.wall[name].append(time.perf_counter() - start)
        self.cpu[name].append(cpu() - before)

    def tell(self) -> None:
        """Print medians in milliseconds."""
        print(f"{'':44} {'wall p50':>9} {'wall min':>9} {'cpu p50':>9}")
        for name, wall in self.wall.items():
            figures = (statistics.median(wall), min(wall), statistics.median(self.cpu[name]))
            print(f"{name:44}", *(f"{figure * 1000:6.0f} ms" for figure in figures))


def cpu() -> float:
    """Return the CPU time of this process and of the children it waited for, in seconds."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def git(folder: Path, index: Path) -> Callable[[], None]:
    """Return what takes a snapshot by git alone, with an index of its own."""
    env = {**os.environ, "GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(index.parent)}
    env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(folder / ".git" / "objects")

    def snapshot() -> None:
        for command in (["add", "-A"], ["write-tree"]):
            subprocess.run(["git", *command], cwd=folder, env=env, check=True, capture_output=True)

    return snapshot


def main(files: int, rounds: int) -> None:
    """Measure, and print."""
    bench = Bench()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "project")
        made = make(folder, files)
        time.sleep(0.2)
        writer = TraceWriter(Path(scratch, "trace"), resource={})
        place = Place(folder, dict(os.environ), Path(scratch, "store"))
        lookout = Lookout(place, writer, lambda _path, _data: None)

        def first() -> None:
            lookout.begin()
            lookout.start()

        bench.time("the first look (all files read and hashed)", first)
        private = Path(scratch, "objects")
        private.mkdir()
        snapshot = git(folder, private / "index")
        bench.time("git add -A, the first", snapshot)
        status = ["git", "--no-optional-locks", "status", "--porcelain"]
        recent = lookout._snapshots._recent  # type: ignore[union-attr]
        local = recent._usable

        def change(number: int) -> None:
            for path in made[number * CHANGED : (number + 1) * CHANGED]:
                path.write_text(f"changed {number}\n")

        def step() -> None:
            lookout.look()
            changes = lookout.pending
            assert len(changes) == CHANGED, changes
            lookout.take(changes)
            assert lookout.diff(changes)

        for number in range(rounds):
            bench.time("a look, nothing changed", lookout.look)
            recent._usable = False
            bench.time("a look without `find`, nothing changed", lookout.look)
            recent._usable = local
            run = lambda: subprocess.run(status, cwd=folder, check=True, capture_output=True)  # noqa: E731
            bench.time("git status", run)
            bench.time("git add -A and write-tree, nothing changed", snapshot)
            change(number)
            bench.time("a look, three files changed, with the diff", step)
            bench.time("git add -A and write-tree, three changed", snapshot)
        lookout.close()
        writer.close()
        print(
            f"{files} files, {rounds} rounds, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
        )
        bench.tell()
        for problem in lookout.problems:
            print(f"problem: {problem}")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given[:2], *(50_000, 9)[len(given) :])
