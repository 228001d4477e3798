"""What a sandbox is: something that builds images, and starts boxes from them to run commands in.

A *box* is one container, or one private folder: it starts from a clean copy of the image's
workspace, runs commands within limits, and leaves nothing behind. A provider that fails raises
`SandboxError`; a command that fails is a `Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

GIB = 1 << 30
MIB = 1 << 20

User = Literal["work", "grade"]
"""`work`: whom the code under test runs as. `grade`: who owns what that code must not change."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a box may use. `local` keeps those that a process can be held to, and says which."""

    memory: int = 4 * GIB
    """Bytes, swap included; what is in the box's file systems counts."""
    disk: int = 2 * GIB
    """Bytes of the workspace; as much again for `/tmp` and the home folder."""
    cpus: float = 1.0
    pids: int = 512
    open_files: int = 4096
    file_size: int = GIB
    output: int = 16 * MIB
    """Bytes kept of each of stdout and stderr; what comes after is counted."""
    report: int = 256 * MIB
    """Bytes taken from the report channel; after that the box is destroyed."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How a box is, apart from its image."""

    limits: Limits = Limits()
    network: bool = False
    environment: Mapping[str, str] = {}
    """Added to the image's for every command."""
    file_order: int | None = None
    """The seed by which the workspace's files are created in another order; None: sorted."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """Something to start boxes from."""

    id: str
    """The engine's id (`sha256:…`), or the folder of a local one."""
    workspace: str
    """The absolute path of the workspace inside the box."""
    digest: str = ""
    """The base image's digest in a registry; empty for an imported one."""
    environment: Mapping[str, str] = {}
    """What commands need, `PATH` with the project's interpreter first."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended: one of `exit_code`, `signal` and `destroyed` tells it."""

    exit_code: int | None
    signal: int | None = None
    seconds: float = 0.0
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_lost: int = 0
    stderr_lost: int = 0
    timed_out: bool = False
    out_of_memory: bool = False
    destroyed: str = ""
    """Why the box had to be destroyed; empty: it can be used on."""


class Box(Protocol):
    """One started container, or one private folder."""

    @property
    def workspace(self) -> str:
        """Where in the box the workspace is: the image's path, unless `shortfalls` says so."""

    @property
    def channel(self) -> str:
        """Where in the box to write reports: a FIFO that `work` may write to, and nothing else.

        Writes of at most 4,096 bytes arrive whole and in order at the `on_report` of `start`. What
        has arrived cannot be taken back from inside.
        """

    @property
    def private(self) -> str:
        """A folder in the box that `work` may read, and `grade` alone may write."""

    def run(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        user: User = "work",
        cwd: str | None = None,
        environment: Mapping[str, str] = {},
        stdin: Iterable[bytes] = (),
        on_output: Callable[[Literal["stdout", "stderr"], bytes], None] | None = None,
    ) -> Result:
        """Run a command to its end, and everything it started: nothing of it goes on.

        Args:
            argv: the command; without a shell.
            seconds: the time it may take. After it the command gets TERM, 5 s later KILL, and 10 s
                after that the box is destroyed.
            user: whom it runs as.
            cwd: where; default: the workspace.
            environment: added to the setting's.
            stdin: what it reads; then the end of input.
            on_output: called with what arrives, as it arrives (within the limit).

        Raises:
            SandboxError: the provider failed.
        """

    def copy_in(self, tar: Iterable[bytes], to: str, *, user: User = "work") -> None:
        """Unpack a tar stream under a folder, which is made."""

    def copy_out(self, path: str, *, limit: int = 64 * MIB) -> bytes:
        """Return a regular file's content.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is no regular file, or larger than the limit.
        """

    def reset(self) -> None:
        """End every process of `work`, and make its folders as they were at first."""

    def destroy(self) -> None:
        """Remove the box and everything in it; once is enough."""


class Sandbox(Protocol):
    """Builds images, and starts boxes from them."""

    @property
    def name(self) -> Literal["docker", "local"]:
        """Which it is."""

    @property
    def isolation(self) -> Literal["container", "process"]:
        """What stands between the code and this machine."""

    def shortfalls(self, setting: Setting) -> Mapping[str, str]:
        """Say what of a setting, and of the promises above, cannot be had here.

        Returns:
            A sentence for each, by its name: one of the setting's or the limits' fields,
            `workspace` (its path), `users` (`work` and `grade` are the same), `temporary`
            (`/tmp` is shared with this machine). Empty: all is held.
        """

    def start(
        self, image: Image, setting: Setting, on_report: Callable[[bytes], None] | None = None
    ) -> AbstractContextManager[Box]:
        """Start a box; leaving the context destroys it, whatever happened.

        Raises:
            SandboxError: the provider failed.
        """
