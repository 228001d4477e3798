"""The worker processes, each in a room: outside, or where launchers lie over the shells."""

from __future__ import annotations

import marshal
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from support.transparency.listener import TOKEN, Listener
from support.transparency.snippets import ENVIRONMENT
from traceproof.machine import _covers
from traceproof.recorder import namespaces
from traceproof.recorder.namespaces import Entry, Kind
from traceproof.recorder.shim.install import ShimFolder

USER = 1000
SHELLS = ("/usr/bin/bash", "/usr/bin/dash")

_FILES = ("__init__.py", "worker.py", "stdio.py", "talk.py", "places.py")
_AS_USER = (
    *("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"'),
    *("{home}", "{python}"),
    *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"),
)
"""The Python may lie where another user has no access."""


class Worker:
    """A process that runs jobs, one at a time."""

    def __init__(self, words: Sequence[str], report: int | None = None) -> None:
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[] if report is None else [report],
            env={"PATH": os.environ["PATH"]},
            start_new_session=True,
        )

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have a job done."""
        assert self.process.stdin
        assert self.process.stdout
        marshal.dump(job, self.process.stdin)
        self.process.stdin.flush()
        return marshal.load(self.process.stdout)

    def close(self) -> None:
        """End it."""
        self.process.communicate()


class Rooms:
    """All workers, and the launchers for them; `run` may be called from several threads.

    Args:
        base: A folder that every user can reach.
        count: Workers in a room.
    """

    def __init__(self, base: Path, count: int) -> None:
        self.listener = Listener(base / "recorder")
        self._base, self._count = base, count
        self._idle: dict[str, queue.Queue[Worker]] = {}
        self._workers: list[Worker] = []
        self._opening = threading.Lock()
        self._program = base / "support" / "transparency"
        self._program.mkdir(parents=True)
        for name in _FILES:
            shutil.copy(Path(__file__).with_name(name), self._program)
        (base / "jobs").mkdir()
        (base / "jobs").chmod(0o777)
        self.folder = self.launchers("shim", self.listener.path)

    def launchers(self, name: str, socket: Path) -> ShimFolder:
        """Return a folder of launchers that speak to a socket."""
        originals = {"SHELL": ENVIRONMENT["SHELL"]}
        folder = ShimFolder(self._base / name, socket, TOKEN, originals=originals)
        for hook in ("path", "shell", "prefix"):
            for shell in ("bash", "dash", "sh"):
                folder.launcher(hook, f"/bin/{shell}")
        return folder

    @property
    def base(self) -> Path:
        """The folder that every user can reach."""
        return self._base

    def job(self, name: str) -> str:
        """Return the folder of a job."""
        return str(self._base / "jobs" / name)

    def run(self, room: str, job: dict[str, Any]) -> dict[str, Any]:
        """Have a job done in a room: `here`, `mount`, `user`, or `as user`: without a namespace."""
        with self._opening:
            if room not in self._idle:
                self._idle[room] = queue.Queue()
                for _ in range(self._count):
                    self._add(room)
        worker = self._idle[room].get()
        try:
            outcome = worker.run(job)
        except (EOFError, BrokenPipeError):
            self._add(room)
            return {"late": [b"(the worker itself was killed)"]}
        self._idle[room].put(worker)
        return outcome

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()
        self.listener.close()

    def _add(self, room: str) -> None:
        words = [_python(), "-I", "-S", str(self._program / "worker.py")]
        if room == "here":
            worker = Worker(words)
        elif room == "as user":
            worker = Worker([*self._as_user(), *words[1:]])
        else:
            worker = self._enter("mount" if room == "mount" else "user", words)
        self._workers.append(worker)
        self._idle[room].put(worker)

    def _enter(self, kind: Kind, words: list[str]) -> Worker:
        folder = self._base / f"{kind}{len(self._workers)}"
        folder.mkdir()
        namespace = f"/proc/{os.getpid()}/ns/mnt" if kind == "mount" else None
        make = partial(ShimFolder, socket=self.listener.path, token=TOKEN, namespace=namespace)
        entry = Entry(kind, str(folder), _covers(make, folder, SHELLS))
        before: list[str] = []
        if kind == "user":
            before = self._as_user()
            words[0] = before.pop()
            self._give_away(folder, words[0])
        reads, writes = os.pipe()
        program = namespaces._words(writes, entry, words[0], words)
        program[0] = words[0]
        if before:
            shutil.copy(program[3], self._program)
            program[3] = str(self._program / "enter.py")
        worker = Worker([*before, *program], writes)
        os.close(writes)
        with os.fdopen(reads, "rb") as reports:
            assert reports.read() == b"R\n"
        return worker

    def _as_user(self) -> list[str]:
        """Return the words that run a program as another user, with a Python as the last."""
        home = self._base / "python"
        home.mkdir(exist_ok=True)
        original = Path(_python())
        python = home / original.relative_to(original.parent.parent)
        if os.getuid():
            return [str(original)]
        names = {"home": original.parent.parent, "python": home}
        return [*(word.format(**names) for word in _AS_USER), str(python)]

    def _give_away(self, folder: Path, python: str) -> None:
        """Let the other user have a folder of launchers, with a Python that he can reach."""
        link = folder / "traceproof"
        link.unlink()
        link.symlink_to(python)
        if os.getuid():
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)


def _python() -> str:
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
