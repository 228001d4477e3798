"""One command in a running container: its input fed, its output taken, its end seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.docker.frames import Frames, Name
from traceproof.sandbox.docker.stream import CHUNK, Stream

Listener = Callable[[Name, bytes], None]

LOOK = 2.0
"""Seconds of silence after which the engine is asked whether the command still runs.

Whoever inherited its stdout keeps the connection open for as long as it likes.
"""


class Kept:
    """The beginning of an output, and how much there was of the rest."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._parts: list[bytes] = []
        self.lost = 0

    def add(self, data: bytes) -> bytes:
        """Take bytes; return those within the limit."""
        kept = data[: self._left]
        self._left -= len(kept)
        self.lost += len(data) - len(kept)
        if kept:
            self._parts.append(kept)
        return kept

    @property
    def data(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)


class Ended(NamedTuple):
    """How a command ended: by what it made the engine say, or None when time was up."""

    code: int | None
    stdout: Kept
    stderr: Kept
    seconds: float
    whole: float
    """Seconds with what came before the first word, which may have been on its way for a while."""
    begun: bool = True
    """Whether the first word came, if one was waited for."""


class Execution:
    """A command that runs by `exec`.

    Args:
        client: docker-py's.
        container: the id of a running one.
        argv: the command.
        user: `uid:gid`.
        stdin: what it reads; `()`: nothing at all.
        keep: how many bytes of each of stdout and stderr.
        listener: told of what is kept, as it arrives.
        environment: added to the container's.
        first: what its stdout begins with when the command proper does; its time counts from
            there, and the word itself is no output. Empty: from the start.
        grace: seconds that may pass until then.
    """

    def __init__(
        self,
        client: Any,
        container: str,
        argv: Sequence[str],
        *,
        user: str,
        stdin: Iterable[bytes] = (),
        keep: int,
        listener: Listener | None = None,
        environment: Mapping[str, str] = {},
        first: bytes = b"",
        grace: float = 0.0,
    ) -> None:
        self._client = client
        self._listener = listener
        self._first, self._grace = first, grace
        self._frames = Frames()
        self._kept: dict[Name, Kept] = {"stdout": Kept(keep), "stderr": Kept(keep)}
        self._input: Iterator[bytes] | None = None if stdin == () else iter(stdin)
        self._pending = memoryview(b"")
        self._asked = self._began = time.monotonic()
        body = {
            "Cmd": list(argv),
            "User": user,
            "AttachStdin": self._input is not None,
            "AttachStdout": True,
            "AttachStderr": True,
            "Env": [f"{name}={value}" for name, value in environment.items()],
        }
        self._id = self._create(container, body)
        path = f"/exec/{self._id}/start"
        self._stream = Stream(client, path, {"Detach": False, "Tty": False})

    def wait(self, seconds: float, gone: Callable[[], bool]) -> Ended:
        """Wait for the end, at most for some seconds, or until the container is gone."""
        try:
            self._pump(seconds, gone)
        finally:
            self._stream.close()
        code = None if gone() else self._code(self._deadline(seconds), gone)
        now = time.monotonic()
        took, whole = now - self._began, now - self._asked
        return Ended(code, self._kept["stdout"], self._kept["stderr"], took, whole, not self._first)

    def _deadline(self, seconds: float) -> float:
        return self._began + seconds + (self._grace if self._first else 0.0)

    def _create(self, container: str, body: Mapping[str, object]) -> str:
        base = f"{self._client.base_url}/v{self._client.api_version}"
        with failures("start a command in the box"):
            answer = self._client.post(f"{base}/containers/{container}/exec", json=body, timeout=60)
            self._client._raise_for_status(answer)  # noqa: SLF001 - turns answers into APIError
            return str(answer.json()["Id"])

    def _pump(self, seconds: float, gone: Callable[[], bool]) -> None:
        silent = time.monotonic()
        while (now := time.monotonic()) < (deadline := self._deadline(seconds)):
            self._feed()
            if self._input is not None:
                self._stream.wait_either(min(LOOK, deadline - now))
            data = self._stream.read(0 if self._input is not None else min(LOOK, deadline - now))
            if data == b"":
                return
            if data:
                silent = time.monotonic()
                self._take(data)
            elif time.monotonic() - silent >= LOOK and (gone() or not self._running()):
                return

    def _feed(self) -> None:
        if self._input is None:
            return
        try:
            if not self._pending:
                self._pending = memoryview(next(self._input))
            self._pending = self._pending[self._stream.write_some(self._pending[:CHUNK]) :]
        except StopIteration:
            self._input = None
            self._stream.end_input()
        except OSError:  # it has ended, or closed its stdin: no harm
            self._input = None

    def _take(self, data: bytes) -> None:
        for name, whole in self._frames.feed(data):
            piece = self._after_first(whole) if name == "stdout" and self._first else whole
            kept = self._kept[name].add(piece)
            if kept and self._listener is not None:
                self._listener(name, kept)

    def _after_first(self, piece: bytes) -> bytes:
        """Take what is still to come of the first word off an output."""
        size = min(len(self._first), len(piece))
        if piece[:size] != self._first[:size]:
            return piece
        self._first = self._first[size:]
        if not self._first:
            self._began = time.monotonic()
        return piece[size:]

    def _running(self) -> bool:
        return bool(self._inspect()["Running"])

    def _inspect(self) -> Mapping[str, Any]:
        with failures("ask after a command in the box"):
            found: Mapping[str, Any] = self._client.exec_inspect(self._id)
            return found

    def _code(self, deadline: float, gone: Callable[[], bool]) -> int | None:
        """Return the exit code; the engine may know it a moment after the output's end."""
        while True:
            found = self._inspect()
            if not found["Running"] and found["ExitCode"] is not None:
                return int(found["ExitCode"])
            if gone() or time.monotonic() >= deadline:
                return None
            time.sleep(0.005)
