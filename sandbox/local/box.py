"""A started local box: commands run in it, files in and out, and its end.

What its keeper does is in `keeper`; how it is arranged is `backend`'s business.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local import boxfolder, leavings
from traceproof.sandbox.local.control import Keeper
from traceproof.sandbox.local.keeper.commands import NO_SUCH_FILE, NOT_ALLOWED
from traceproof.sandbox.local.keeper.plan import Plan
from traceproof.sandbox.local.pump import Kept, Listener, Reports
from traceproof.sandbox.protocol import MIB, Limits, Result, User

_AFTER = 15.0
"""Seconds from a command's deadline to the end of its box."""
_FILE_SECONDS = 600.0
_ERROR = 64 << 10


class _DestroyedError(SandboxError):
    """Somebody destroyed the box while something was done in it."""


class LocalBox:
    """A private folder, and the process that keeps it.

    Args:
        folder: the box's folder, which goes with it.
        plan: how it is.
        environment: of every command.
        limits: what the plan does not hold: outputs and reports.
        on_report: told of what comes through the channel.

    Raises:
        SandboxError: it cannot be started.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        environment: Mapping[str, str],
        limits: Limits,
        on_report: Callable[[bytes], None] | None,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._environment = environment
        self._limits = limits
        channel = boxfolder.open_channel(folder)
        self._reports = Reports(channel, limits.report, on_report)
        self._busy = threading.Lock()
        self._busy_in = 0
        self._destroyed = ""
        self._closed = False
        try:
            self._keeper = Keeper(plan)
        except BaseException:
            os.close(channel)
            raise

    @property
    def workspace(self) -> str:
        """Where the workspace is."""
        return self._plan.workspace

    @property
    def channel(self) -> str:
        """Where to write reports."""
        return f"{self._plan.here}/channel"

    @property
    def private(self) -> str:
        """A folder that `work` may read."""
        return f"{self._plan.here}/private"

    def run(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        user: User = "work",
        cwd: str | None = None,
        environment: Mapping[str, str] = {},
        stdin: Iterable[bytes] = (),
        on_output: Listener | None = None,
    ) -> Result:
        """Run a command to its end, and everything it started: see `protocol.Box.run`.

        Raises:
            ValueError: there is a NUL in a word.
        """
        if any("\0" in word for word in (*argv, *environment, *environment.values(), cwd or "")):
            raise ValueError("there is a NUL in the command, its environment or its folder")
        request = {
            "do": "run",
            "user": user,
            "argv": list(argv),
            "cwd": os.path.join(self.workspace, cwd or ""),  # noqa: PTH118 - of the box
            "environment": {**self._environment, **environment},
            "seconds": seconds,
        }
        outputs = _outputs(self._limits.output, on_output)
        began = time.monotonic()
        try:
            answer = self._ask(request, stdin, outputs, began + seconds + _AFTER)
        except _DestroyedError:
            answer = None
        if answer is not None:
            return _with(outputs, Result(**answer))
        spent = time.monotonic() - began
        self._give_up()
        late = spent >= seconds + _AFTER
        ended = Result(exit_code=None, seconds=spent, timed_out=late, destroyed=self._destroyed)
        return _with(outputs, ended)

    def copy_in(self, tar: Iterable[bytes], to: str, *, user: User = "work") -> None:
        """Unpack a tar stream under a folder of the box.

        Raises:
            ValueError: the folder is not in the box, or the stream holds what has no place there.
            SandboxError: the provider failed.
        """
        self._do({"do": "unpack", "to": to, "user": user}, stdin=tar, keep=0)

    def copy_out(self, path: str, *, limit: int = 64 * MIB) -> bytes:
        """Return a regular file's content: see `protocol.Box.copy_out`."""
        request = {"do": "show", "path": path, "limit": limit, "user": "grade"}
        return self._do(request, stdin=(), keep=limit)

    def reset(self) -> None:
        """End every process of `work`, and make its folders as they were at first."""
        with self._alone():
            self._keeper.close()
            self._clear()
            boxfolder.fresh(self._folder, self._plan.work)
            self._keeper = Keeper(self._plan)

    def destroy(self) -> None:
        """Remove the box and everything in it; once is enough. Any thread may call it."""
        self._destroyed = self._destroyed or "it was destroyed"
        self._keeper.end()
        if self._busy_in != threading.get_ident():  # else whoever is busy does it, at once
            with self._busy:
                self._close()

    def _give_up(self) -> None:
        if self._reports.too_many:
            self._destroyed = f"more than {self._limits.report} bytes were reported"
        elif not self._destroyed:
            self._destroyed = "its command did not end in time"
        self.destroy()

    def _do(self, request: dict[str, Any], *, stdin: Iterable[bytes], keep: int) -> bytes:
        outputs = Kept("stdout", keep), Kept("stderr", _ERROR)
        answer = self._ask(request, stdin, outputs, time.monotonic() + _FILE_SECONDS + _AFTER)
        code = answer["exit_code"] if answer else None
        if code == 0:
            return outputs[0].data
        told = outputs[1].data.decode(errors="replace") or "it was killed"
        if code == NO_SUCH_FILE:
            raise FileNotFoundError(told)
        if code == NOT_ALLOWED:
            raise ValueError(told)
        raise SandboxError(f"files of a local box cannot be moved: {told}")

    def _ask(
        self,
        request: dict[str, Any],
        stdin: Iterable[bytes],
        outputs: tuple[Kept, Kept],
        deadline: float,
    ) -> dict[str, Any] | None:
        with self._alone():
            try:
                return self._keeper.ask(
                    request, stdin=stdin, outputs=outputs, reports=self._reports, deadline=deadline
                )
            except BaseException as error:
                if self._destroyed and isinstance(error, SandboxError):
                    raise _DestroyedError(str(error)) from None
                self._destroyed = self._destroyed or "what was done in it was given up"
                raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._busy:
            if self._destroyed:
                raise SandboxError(f"this local box is no more: {self._destroyed}")
            self._busy_in = threading.get_ident()
            try:
                yield
            finally:
                self._busy_in = 0
                if self._destroyed:
                    self._close()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._keeper.close()
            os.close(self._reports.file)
            try:
                self._clear()
            finally:
                boxfolder.remove(self._folder)

    def _clear(self) -> None:
        if not self._plan.spaces:
            leavings.clear(self._plan.work)


def _outputs(keep: int, on_output: Listener | None) -> tuple[Kept, Kept]:
    return Kept("stdout", keep, on_output), Kept("stderr", keep, on_output)


def _with(outputs: tuple[Kept, Kept], result: Result) -> Result:
    stdout, stderr = outputs
    return msgspec.structs.replace(
        result,
        stdout=stdout.data,
        stderr=stderr.data,
        stdout_lost=stdout.lost,
        stderr_lost=stderr.lost,
    )
