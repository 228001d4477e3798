"""`NAME.subject.toml` beside a trace: what is to be verified, where the trace does not hold it.

A shared proxy sees calls and no workspace. Whoever runs the store can say with this file which
repository, commit and patch a session was about, and which tests.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from traceproof.recorder.store import SUFFIX
from traceproof.recorder.task import Type

ENDING = ".subject.toml"
_BYTES = 1 << 16


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What the file says; each key is the option of `traceproof verify` of the same name."""

    repo: str = ""
    commit: str = ""
    patch: str = ""
    """The patch's file, from the folder that this file is in."""
    tests: str = ""
    tests_from: str = ""
    task_type: Type | None = None
    as_of: str = ""

    def options(self, folder: Path) -> list[str]:
        """Return them for a command line; `folder` is where the file is."""
        return [f"--{name}={value}" for name, value in self._given(folder) if value]

    def _given(self, folder: Path) -> Iterator[tuple[str, str]]:
        yield "repo", self.repo
        yield "commit", self.commit
        yield "patch", str(folder / self.patch) if self.patch else ""
        yield "tests", self.tests
        is_state = self.tests_from in ("", "final", "base")
        yield "tests-from", self.tests_from if is_state else str(folder / self.tests_from)
        yield "task-type", self.task_type.value if self.task_type else ""
        yield "as-of", self.as_of


def path_of(trace: Path) -> Path:
    """Return where the file of a trace is, if there is one."""
    return trace.with_name(trace.name.removesuffix(SUFFIX) + ENDING)


def read(path: Path) -> Named | None:
    """Read the file; None where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is wrong.
    """
    try:
        handle = os.open(
            path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )  # a pipe must not hold us
    except FileNotFoundError:
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 - it is open
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path}: not a file")
        text = file.read(_BYTES + 1)
    if len(text) > _BYTES:
        raise ValueError(f"{path}: more than {_BYTES} bytes")
    try:
        return msgspec.convert(tomllib.loads(text.decode()), Named)
    except ValueError as error:  # of TOML, UTF-8 and msgspec alike
        raise ValueError(f"{path}: {error}") from None
