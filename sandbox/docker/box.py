"""A box that is a container: commands in it, files in and out, and a clean start again."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from traceproof.sandbox.docker import config, scripts
from traceproof.sandbox.docker.client import first_line
from traceproof.sandbox.docker.container import Container
from traceproof.sandbox.docker.execute import Ended, Execution, Listener
from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError
from traceproof.sandbox.layout import CHANNEL, HOME, PRIVATE, STASH, UIDS
from traceproof.sandbox.protocol import MIB, Image, Result, Setting, User

PATIENCE = 15.0
"""Seconds that the host waits longer than the box: 5 for the KILL after the TERM, and 10."""

OURS_SECONDS = 600.0
"""How long copying and cleaning may take."""

_TOOLS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CLEANED = (HOME, "/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/mqueue")  # noqa: S108
_TIMED_OUT = {124: 15, 137: 9}
_SIGNALS = range(129, 193)
_NO_SUCH, _NO_FILE = 44, 45
_FULL = ("No space left", "Wrote only")


class DockerBox:
    """One container. Calls from several threads wait for each other, save `destroy`."""

    def __init__(
        self,
        client: Any,
        image: Image,
        setting: Setting,
        on_report: Callable[[bytes], None] | None,
        runtime: str = "",
        *,
        volumes: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._volumes = tuple(volumes)
        self._image = image
        self._setting = setting
        self._busy = threading.RLock()
        body = config.container(image, setting, runtime, volumes)
        heard = on_report or (lambda _data: None)
        self._container = Container(client, body, heard, setting.limits.report)
        try:
            self._own, self._killed = self._container.control.state()
            self._filled = False
        except BaseException:
            self.destroy()
            raise

    @property
    def workspace(self) -> str:
        """Where the workspace is."""
        return self._image.workspace

    @property
    def channel(self) -> str:
        """Where to write reports."""
        return CHANNEL

    @property
    def private(self) -> str:
        """The folder that `grade` alone may write to."""
        return PRIVATE

    @property
    def id(self) -> str:
        """The container's id."""
        return self._container.id

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
        """Run a command to its end, and everything it started."""
        command = self._command(argv, environment)
        return self._run(
            command, seconds=seconds, user=user, cwd=cwd, stdin=stdin, on_output=on_output
        )

    def copy_in(self, tar: Iterable[bytes], to: str, *, user: User = "work") -> None:
        """Unpack a tar stream under a folder, which is made."""
        self._ours(scripts.UNPACK, to, user=user, stdin=tar, doing=f"unpack into {to}")

    def copy_out(self, path: str, *, limit: int = 64 * MIB) -> bytes:
        """Return a regular file's content."""
        command = ["sh", "-c", scripts.READ, "sh", path, str(limit + 1)]
        result = self._run(command, seconds=OURS_SECONDS, cwd="/", keep=limit + 1)
        if result.exit_code == _NO_SUCH:
            raise FileNotFoundError(f"no such file in the box: {path}")
        if result.exit_code == _NO_FILE:
            raise ValueError(f"not a regular file: {path}")
        _good(result, f"read {path}")
        if len(result.stdout) > limit:
            raise ValueError(f"larger than {limit:,} bytes: {path}")
        return result.stdout

    def reset(self) -> None:
        """End every process of `work`, and make its folders as they were at first."""
        with self._busy:
            self._filled = True  # with what is to be removed
            places = (self.workspace, *_CLEANED, *self._volumes)
            self._ours(scripts.EMPTY, *places, doing="make the box clean again")
            self._filled = False

    def destroy(self) -> None:
        """Remove the box and everything in it."""
        self._container.destroy("its owner destroyed it")

    def _salt(self) -> str:
        """Return what the order of the workspace's files hangs on; empty: they are sorted."""
        seed = self._setting.file_order
        return "" if seed is None else hashlib.sha256(str(seed).encode()).hexdigest()

    def _ours(
        self,
        script: str,
        *arguments: str,
        doing: str,
        user: User = "work",
        stdin: Iterable[bytes] = (),
    ) -> None:
        command = ["sh", "-c", script, "sh", *arguments]
        _good(self._run(command, seconds=OURS_SECONDS, user=user, cwd="/", stdin=stdin), doing)

    def _command(self, argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        named = {"HOME": HOME, **self._image.environment, **self._setting.environment}
        pairs = [f"{name}={value}" for name, value in {**named, **environment}.items()]
        guard = ["sh", "-c", 'exec "$@"', "sh"] if "=" in argv[0] else []
        return ["env", "--", *pairs, *guard, *argv]

    def _run(
        self,
        command: Sequence[str],
        *,
        seconds: float,
        user: User = "work",
        cwd: str | None = None,
        stdin: Iterable[bytes] = (),
        on_output: Listener | None = None,
        keep: int | None = None,
    ) -> Result:
        arguments = [user, cwd or self.workspace, f"{seconds:.3f}", *command]
        _check(arguments)
        with self._busy:
            self._check_alive()
            if user != "work" and not self._filled:
                self._ours("true", doing="fill the workspace")
            fill = not self._filled
            argv = ["/bin/sh", "-c", scripts.RUN, "sh", *arguments]
            if fill:
                places = [self.workspace, self._salt()]
                argv = ["/bin/sh", "-c", scripts.FILL_AND_RUN, "sh", *places, *arguments]
            uid = UIDS[user]
            execution = Execution(
                self._client,
                self.id,
                argv,
                user=f"{uid}:{uid}",
                stdin=stdin,
                keep=self._setting.limits.output if keep is None else keep,
                listener=on_output,
                environment={"PATH": _TOOLS},
                first=scripts.FILLED.encode() if fill else b"",
                grace=OURS_SECONDS,
            )
            ended = execution.wait(seconds + PATIENCE, lambda: self._container.ended)
            result = self._result(ended, seconds)
            if not ended.begun:
                _good(result, "fill the workspace")
                raise SandboxError("cannot fill the workspace: the box does not say why")
            self._filled = True
            return result

    def _check_alive(self) -> None:
        if self._container.ended or self._container.fate:
            why, _ = self._container.explain()
            raise SandboxError(f"the box is gone: {why}")

    def _result(self, ended: Ended, seconds: float) -> Result:
        if ended.code is None and not self._container.ended:
            self._container.destroy(f"the command did not end within {seconds + PATIENCE:g} s")
        killed = ended.code is not None and self._settle()
        if ended.code is None or self._container.ended:
            why, killed = self._container.explain()
            late = ended.seconds >= seconds + PATIENCE
            return _told(ended, destroyed=why, out_of_memory=killed, timed_out=late)
        late = ended.whole >= seconds and ended.code in _TIMED_OUT
        signal = _TIMED_OUT[ended.code] if late else _signal(ended.code)
        code = None if signal else ended.code
        return _told(ended, exit_code=code, signal=signal, timed_out=late, out_of_memory=killed)

    def _settle(self) -> bool:
        """Leave nothing running and no report on its way; say whether memory ran out."""
        control = self._container.control
        try:
            if not self._quiet(2.0):
                self._end()
            if not self._quiet(5.0):
                self._container.destroy("what the command started could not be ended")
                return False
            control.drain()
            before, self._killed = self._killed, control.state().killed
        except SandboxError:
            if self._container.ended:
                return False
            raise
        return self._killed > before

    def _quiet(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._container.control.state().processes > self._own:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.003)
        return True

    def _end(self) -> None:
        uid = UIDS["work"]
        argv = ["/bin/sh", "-c", scripts.END]
        execution = Execution(self._client, self.id, argv, user=f"{uid}:{uid}", keep=0)
        execution.wait(PATIENCE, lambda: self._container.ended)


def _check(argv: Sequence[str]) -> None:
    """Raise ValueError for what cannot be said to the engine."""
    for word in argv:
        if "\0" in word:
            raise ValueError("a command's words cannot hold a NUL")
        word.encode()


def _signal(code: int) -> int | None:
    return code - 128 if code in _SIGNALS else None


def _told(ended: Ended, **how: Any) -> Result:
    return Result(
        exit_code=how.pop("exit_code", None),
        seconds=ended.seconds,
        stdout=ended.stdout.data,
        stderr=ended.stderr.data,
        stdout_lost=ended.stdout.lost,
        stderr_lost=ended.stderr.lost,
        **how,
    )


def _good(result: Result, doing: str) -> None:
    """Raise SandboxError where one of our own commands failed."""
    if result.exit_code == 0 and not result.stderr:
        return
    stderr = result.stderr.decode("utf-8", "replace")
    said = result.destroyed or first_line(stderr)
    if result.out_of_memory or any(words in stderr for words in _FULL):
        raise OutOfRoom(f"cannot {doing}: {said}; the box's limits (memory, disk) are too small")
    if STASH in said:
        raise ImageFailed(f"cannot {doing}: the image holds no workspace ({said})")
    raise SandboxError(f"cannot {doing}: {said}")
