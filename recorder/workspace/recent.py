"""Asking `find` what changed lately, where that is quicker than asking for every file ourselves.

It reads the same marks, in a third of the time, and not in our process. It is used for large trees
alone, and on disks of this machine alone: the time of a change is compared with our clock. Where
the clock was set meanwhile, or there is no such `find`, the caller has to look at everything.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.workspace.folders import Parts
from traceproof.recorder.workspace.reading import Deadline

WORTHWHILE = 5000
"""Files from which on `find` is asked."""

SLACK = 60_000_000
"""Nanoseconds before the last look that count as after it: time on a disk has steps."""

DIVIDED = 20_000
"""Files from which on several go through a part each, as many as there are CPUs, at most four."""

MOST_PRUNED = 64
_MOST = 16 << 20
_DRIFT = 10_000_000
_LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "overlay", "zfs"})
_SPECIAL = re.compile(r"([*?\[\]\\])")


class Changed(NamedTuple):
    """Paths with a change: of folders (`a/b/`; "" is the root), and of files."""

    folders: set[str]
    files: set[str]


class Recent:
    """Remembers when the last look was; for one root."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._since = 0
        self._clocks = 0
        self._usable = is_local(root)

    def began(self) -> None:
        """Take note that a look at everything, or at what `changed` told, begins now."""
        self._since, self._clocks = time.time_ns(), time.time_ns() - time.monotonic_ns()

    def changed(self, parts: Parts, pruned: Sequence[str], deadline: Deadline) -> Changed | None:
        """Return what changed since the last look began; None where that is not to be had.

        One `find` goes through each group of `parts`; folders in `pruned` (`a/b/`) are left out.
        """
        drift = abs(time.time_ns() - time.monotonic_ns() - self._clocks)
        if not (self._usable and self._since) or drift > _DRIFT:
            return None
        since = self._since - SLACK
        commands = [_command(paths, since, pruned) for paths in parts.deep]
        commands.append(_command(parts.shallow, since, (), "-maxdepth", "1"))
        printed = self._run(commands, deadline)
        if printed is None:
            self._usable = False
            return None
        return _read(printed) if len(printed) <= _MOST else None

    def _run(self, commands: list[list[str]], deadline: Deadline) -> bytes | None:
        """Run them at once and return all that they print; None if one does not work."""
        started: list[subprocess.Popen[bytes]] = []
        try:
            started.extend(self._start(command) for command in commands)
            printed = [process.communicate(timeout=max(deadline.left, 0.01)) for process in started]
        except (OSError, subprocess.TimeoutExpired):
            return None
        finally:
            for process in started:
                process.kill()
                process.communicate()
        if any(
            process.returncode and not out
            for process, (out, _) in zip(started, printed, strict=True)
        ):
            return None
        return b"".join(out for out, _ in printed)

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self._root,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _command(paths: Sequence[str], since: int, pruned: Sequence[str], *options: str) -> list[str]:
    skipped = ["-name", ".git"]
    for path in pruned[:MOST_PRUNED]:
        skipped += ["-o", "-path", "./" + _SPECIAL.sub(r"\\\1", path.rstrip("/"))]
    moment = f"@{since // 10**9}.{since % 10**9:09d}"
    where = [f"./{path}".rstrip("/") for path in paths]
    shown = ["-newerct", moment, "-printf", r"%y%p\0"]
    leave = ["-type", "d", "(", *skipped, ")", "-prune", "-o"]
    return ["find", *where, *options, "-xdev", *leave, *shown]


def _read(printed: bytes) -> Changed:
    folders, files = set(), set()
    for row in printed.split(b"\0")[:-1]:
        path = os.fsdecode(row[1:].removeprefix(b".").removeprefix(b"/"))
        if row[:1] == b"d":
            folders.add(f"{path}/" if path else "")
        else:
            files.add(path)
    return Changed(folders, files)


def is_local(path: str) -> bool:
    """Tell whether a folder is on a disk of this machine, whose clock is ours."""
    try:
        device = Path(path).stat().st_dev
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        fields, _, source = line.partition(" - ")
        if fields.split(" ")[2] == number:
            return source.split(" ")[0] in _LOCAL
    return False
