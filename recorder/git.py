"""Asking git about a repository that is not ours: without writing to it and without trusting it.

A repository's own configuration can name programs for git to run. What could run one is switched
off: hooks and the file-system monitor by configuration; external diffs and text conversion by the
options of `diff`; clean and smudge filters by emptying each one that is configured, wherever
(`filter_overrides`; git-lfs would also write to the `.git`); fetching what a partial clone lacks by
allowing no transport; looking into submodules by `--ignore-submodules=dirty`. Who compares files
does so with a copy of the index: `git diff` refreshes the one it is given even with optional locks
switched off (seen with 2.39). What the environment says to git does not count.

This module runs git; what to ask is the business of `traceproof.recorder.repository`.
"""

from __future__ import annotations

import copy
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NoReturn

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "diff.orderFile=/dev/null",
    "protocol.allow=never",
    "color.ui=false",
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
_PIECE = 1 << 16


class GitError(Exception):
    """Git did not answer; the message is one line that says why."""


class NoAnswerError(GitError):
    """Git has nothing to print, and says so by its exit code alone."""


class TooMuchError(GitError):
    """Git's answer is longer than was asked for."""


class Git:
    """Runs git in one folder until a deadline that all calls share."""

    def __init__(self, folder: Path, environment: Mapping[str, str], seconds: float) -> None:
        self._folder = folder
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith("GIT_")},
            **_ENVIRONMENT,
        }
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._settings: list[str] = []
        self.configure(_SETTINGS)

    def within(self, folder: Path, **environment: str) -> Git:
        """Return the same for another folder, with the same deadline and settings."""
        other = copy.copy(self)
        other._folder = folder  # noqa: SLF001 - it is one of us
        other._environment = {**self._environment, **environment}  # noqa: SLF001 - likewise
        return other

    def again(self, seconds: float) -> Git:
        """Return the same with a new deadline."""
        other = copy.copy(self)
        other._seconds = seconds  # noqa: SLF001 - it is one of us
        other._deadline = time.monotonic() + seconds  # noqa: SLF001 - likewise
        return other

    @property
    def folder(self) -> Path:
        """Where git runs."""
        return self._folder

    def variable(self, name: str) -> str:
        """Return a variable of the environment that git sees; "" where it is not set."""
        return self._environment.get(name, "")

    def configure(self, settings: Iterable[str]) -> None:
        """Set `name=value` pairs for every later call, over whatever the repository says."""
        added = [part for setting in settings for part in ("-c", setting)]
        self._settings = [*self._settings, *added]

    def line(self, *arguments: str) -> str:
        """Return git's answer as one line."""
        return os.fsdecode(self.run(*arguments)).rstrip("\n")

    def run(self, *arguments: str, most: int = 1 << 20) -> bytes:
        """Return what git prints.

        Raises:
            TooMuchError: it prints more than `most` bytes.
            NoAnswerError: it ends with 1 and without a word.
            GitError: it is missing, fails, or does not end in time.
        """
        command = ["git", "--no-optional-locks", "--no-pager", *self._settings, *arguments]
        with tempfile.TemporaryFile() as complaints:
            process = self._start(command, complaints)
            try:
                output = self._read(process, most)
            finally:
                _end(process)
            if process.returncode != 0:
                complaints.seek(0)
                _fail(process.returncode, complaints.read(_PIECE))
        return output

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start git for a conversation over stdin and stdout; the caller ends it.

        Raises:
            GitError: it is missing, or cannot be run.
        """
        command = ["git", "--no-optional-locks", "--no-pager", *self._settings, *arguments]
        return self._start(command, subprocess.DEVNULL, stdin=subprocess.PIPE)

    def _start(
        self, command: list[str], complaints: IO[bytes] | int, *, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            missing = "git is not installed" if error.filename == "git" else "no such folder"
            raise GitError(missing) from None
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from None

    def _read(self, process: subprocess.Popen[bytes], most: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        assert process.stdout  # noqa: S101 - a pipe was asked for
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                self._wait(selector)
                piece = os.read(process.stdout.fileno(), _PIECE)
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    raise TooMuchError(f"over {most} bytes")
        self._wait_for_end(process)
        return b"".join(pieces)

    def _wait(self, selector: selectors.BaseSelector) -> None:
        if not selector.select(max(0.0, self._deadline - time.monotonic())):
            raise GitError(f"git did not answer within {self._seconds:g} s")

    def _wait_for_end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise GitError(f"git did not end within {self._seconds:g} s") from None


def filter_overrides(names: bytes) -> list[str]:
    """Return settings that switch off every filter.

    Args:
        names: what `git config -z --name-only` prints of the keys in `filter`.

    Raises:
        GitError: a filter's name has a `=` in it, so that no `-c` can reach it.
    """
    keys = {os.fsdecode(name).rpartition(".")[0] for name in names.split(b"\0") if name}
    if any("=" in key or "\n" in key for key in keys):
        raise GitError("a filter with '=' in its name is configured, which cannot be switched off")
    return [
        f"{key}.{setting}"
        for key in sorted(keys)
        for setting in ("clean=", "smudge=", "process=", "required=false")
    ]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and whatever it started, if it has not ended; then forget about it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def _fail(code: int, complaints: bytes) -> NoReturn:
    lines = complaints.decode(errors="replace").strip().splitlines()
    if not lines and code == 1:
        raise NoAnswerError("git has no answer")
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    raise GitError(fatal[0] if fatal else f"git ended with {code}")
