"""A shell command as the shim told of it: how it started, what it wrote, how it ended.

Plain values. What they become in a span is `traceproof.recorder.shell.commandspan`'s business, how
they come in `traceproof.recorder.shell.connection`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Protocol, TypeVar

import msgspec

from traceproof.recorder.span import Span

_TAKES_VALUE = frozenset({"--rcfile", "--init-file"})
"""Long options of shells whose value is the next argument."""

Opened = TypeVar("Opened")


class CommandStart(msgspec.Struct):
    """A command that begins: the outermost shell that the agent started.

    `args` are as the agent gave them, argv[0] first; `started` is in Unix nanoseconds. `streams`
    has the kind (`pipe`, `file`, `socket`, `tty`, `null`, `closed`, `other`) of `stdin`, `stdout`
    and `stderr`; `merged` tells that the last two are the same open file. `environment` holds a few
    variables only. Bytes that are no UTF-8 stand as backslash escapes.
    """

    hook: str
    executable: str
    args: tuple[str, ...]
    cwd: str
    pid: int
    started: int
    ppid: int = 0
    sid: int = 0
    pgid: int = 0
    environment: dict[str, str] = {}
    streams: dict[str, str] = {}
    merged: bool = False

    @property
    def name(self) -> str:
        """The executable's name, `bash` for instance."""
        return PurePath(self.executable).name or self.executable

    @property
    def script(self) -> str:
        """The text after `-c`; "" where the shell was given none."""
        return _script(self.args[1:])


class Output(msgspec.Struct):
    """What one stream of a command brought, as it is stored: short in `value`, else under `ref`.

    `size` is the number of bytes that the command wrote, before anything was masked. `chunks` is
    when they came, as `traceproof.recorder.chunks` writes it; long ones are under `chunks_ref`.
    """

    value: str | bytes = ""
    ref: str = ""
    size: int = 0
    chunks: str = ""
    chunks_ref: str = ""


class CommandEnd(msgspec.Struct):
    """A command as far as it has come; `ended` (Unix nanoseconds) is 0 while the shell runs.

    Of a shell that ended either `exit_code` is known or `signal` (`SIGKILL`), or neither: then
    `fault` says why. `outputs` is by stream: `stdout`, `stderr`, or `output` for both where they
    are one; a stream that was not read is not in it. `outlived` tells that something the shell
    started still held its output after it had ended, `lost` how many bytes of output are missing,
    `fault` what went wrong while recording. Seconds and bytes are the shell's and its children's.
    """

    ended: int = 0
    exit_code: int | None = None
    signal: str = ""
    user_seconds: float | None = None
    system_seconds: float | None = None
    max_rss_bytes: int | None = None
    outputs: dict[str, Output] = {}
    outlived: bool = False
    lost: int = 0
    fault: str = ""
    state: str = "ended"
    """`ended`; `cut`: its end is not known; `running`: the recording ended first; `unrecorded`:
    recording was paused meanwhile, and what came then was not kept."""


class Commands(Protocol[Opened]):
    """Takes commands in, on the recorder's thread: the session, or a list in a test.

    For each command: `command_started` once, `command_going` now and then (about twice a second
    while something changes; at once when the shell ended and its output did not), `command_ended`
    once. Where the shell ended and a background process still writes, `command_going` brings an
    end with `ended` set and `command_ended` comes when the output ends too, perhaps much later.
    """

    def command_started(self, start: CommandStart) -> Opened:
        """Take a command that begins; the shell waits a little for this to return."""

    def command_going(self, opened: Opened, so_far: CommandEnd) -> None:
        """Put a command on record as far as it has come: as a pending span."""

    def command_ended(self, opened: Opened, end: CommandEnd) -> None:
        """Take a command's end: nothing more will come of it."""

    def within_command(self, opened: Opened, spans: Iterable[Span]) -> None:
        """Take spans of what ran in a command that has ended, test runs for instance."""


def _script(args: tuple[str, ...]) -> str:
    """Find the first operand of a shell that was given `-c`, as POSIX has it."""
    rest, given = list(args), False
    while rest and rest[0][:1] in ("-", "+") and rest[0] not in ("-", "--"):
        option = rest.pop(0)
        if option.startswith("--"):
            del rest[: option in _TAKES_VALUE]
            continue
        given = given or (option[0] == "-" and "c" in option)
        del rest[: sum(letter in "oO" for letter in option)]
    if rest and rest[0] in ("-", "--"):
        del rest[0]
    return rest[0] if given and rest else ""
