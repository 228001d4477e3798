"""What a box's main process is told and tells: reports on its stdout, answers on its stderr.

`work` reaches neither its input nor its stderr. A *mark* is put into the channel by the main
process: when it comes out, all that was written before it has come out.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import NamedTuple

from traceproof.sandbox.docker.frames import Frames
from traceproof.sandbox.docker.stream import Stream
from traceproof.sandbox.errors import SandboxError, SandboxUnavailable

SECONDS = 60
"""How long an answer may take; a loaded machine is not a broken one."""


_LONGEST = 4096
_WAITING = 16
"""Bytes of an answer, and answers that nobody asked for: an image may have any `sh`."""


class State(NamedTuple):
    """What the kernel counts of a box."""

    processes: int
    killed: int
    """How many processes had to die for want of memory."""


class Marks:
    """Finds marks in a stream of reports, whatever pieces it comes in. No sockets here."""

    def __init__(self) -> None:
        self._wanted = b""
        self._held = b""

    def want(self, mark: bytes) -> None:
        """Look for a mark from now on, until it is found."""
        self._wanted = mark

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Take bytes; return those that are reports for sure, and whether the mark was found."""
        if not self._wanted:
            return data, False
        before, found, after = (self._held + data).partition(self._wanted)
        if found:
            self._wanted = self._held = b""
            return before + after, True
        keep = _overlap(before, self._wanted)
        self._held = before[len(before) - keep :]
        return before[: len(before) - keep], False


def _overlap(data: bytes, mark: bytes) -> int:
    """Return how many bytes at the end of the data are the beginning of the mark."""
    sizes = range(min(len(data), len(mark) - 1), 0, -1)
    return next((size for size in sizes if data.endswith(mark[:size])), 0)


class Control:
    """The attached main process of a box, and a thread that reads what it sends.

    Args:
        stream: its input and output; attached before it is started.
        on_report: called with reports, in that thread.
        on_end: called when nothing more comes, in that thread.
        limit: how many bytes of reports are taken.
        on_flood: called once when there are more; the stream is then ended, and with it the box.
    """

    def __init__(
        self,
        stream: Stream,
        on_report: Callable[[bytes], None],
        on_flood: Callable[[], None],
        limit: int,
    ) -> None:
        self._stream = stream
        self._on_report = on_report
        self._on_flood = on_flood
        self._left = limit
        self._marks = Marks()
        self._answers: list[str] = []
        self._line = b""
        self._marked = False
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="traceproof-box", daemon=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Wait until the channel is there."""
        self._answer("ready")

    def state(self) -> State:
        """Ask for what the kernel counts."""
        with self._asking:
            self._say("state")
            told = self._answer("state").split()
        if len(told) != len(State._fields) or not all(map(str.isdecimal, told)):
            raise SandboxError(f"the box tells no state: {' '.join(told)[:100]!r}")
        return State(*map(int, told))

    def drain(self) -> None:
        """Wait until every report that was written so far has been handed on."""
        with self._asking:
            mark = secrets.token_hex(16)
            with self._changed:
                self._marked = False
                self._marks.want(mark.encode() + b"\n")
            self._say(f"mark {mark}")
            self._until(lambda: self._marked, "hand on what was reported")

    def close(self) -> None:
        """End the stream, and with it the main process; wait for the thread."""
        self._stream.shut()
        if threading.current_thread() is not self._thread:
            self._thread.join(SECONDS)
            self._stream.close()

    def _say(self, line: str) -> None:
        try:
            self._stream.write(line.encode() + b"\n")
        except OSError as error:
            raise SandboxUnavailable(f"cannot reach the box: {error}") from error

    def _answer(self, word: str) -> str:
        def there() -> bool:
            return bool(self._answers)

        self._until(there, f"answer ({word})")
        said, _, rest = self._answers.pop(0).partition(" ")
        if said != word:
            raise SandboxError(f"the box could not be set up: {said} {rest}")
        return rest

    def _until(self, done: Callable[[], bool], what: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: done() or self.ended.is_set(), SECONDS)
            if done():
                return
        if isinstance(self.failure, SandboxError):
            raise self.failure
        if self.ended.is_set():
            raise SandboxUnavailable("the box has ended")
        raise SandboxUnavailable(f"the box did not {what} within {SECONDS} s")

    def _read(self) -> None:
        frames = Frames()
        try:
            while data := self._stream.read(None):
                for name, piece in frames.feed(data):
                    (self._reports if name == "stdout" else self._said)(piece)
        except Exception as error:  # noqa: BLE001 - the caller's thread raises it
            self.failure = error
            self._stream.shut()  # to kill the box would wait for us to read on
        finally:
            self.ended.set()
            with self._changed:
                self._changed.notify_all()

    def _reports(self, data: bytes) -> None:
        with self._changed:
            data, found = self._marks.feed(data)
        data, more = data[: self._left], len(data) > self._left
        self._left -= len(data)
        if data:
            self._on_report(data)
        if more:
            self._on_flood()
            self._stream.shut()  # not a call to kill it, which waits for us to read on
        if found:
            with self._changed:
                self._marked = True
                self._changed.notify_all()

    def _said(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        with self._changed:
            if len(self._line) > _LONGEST or len(self._answers) + len(lines) > _WAITING:
                raise SandboxError("the box talks without being asked: its image has no such `sh`")
            self._answers += [line.decode("utf-8", "replace") for line in lines]
            self._changed.notify_all()
