"""One command while it runs: what its shim tells becomes a start, looks, and an end.

Used from the listener's thread; what it hands to the session it posts to the recorder's thread.
Whatever the shim says or fails to say, a command that was started is ended once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol

import msgspec

from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell import words
from traceproof.recorder.shell.command import CommandEnd, Commands, CommandStart, Opened, Output
from traceproof.recorder.shell.connection import Hello, Packet, as_text
from traceproof.recorder.shell.outputs import Stream
from traceproof.recorder.shell.peers import LAUNCH, PASS, RECORD, Answer, Fields, Post
from traceproof.recorder.shim import wire
from traceproof.recorder.span import Span
from traceproof.recorder.writer import TraceWriter

log = logging.getLogger(__name__)

GOING_ON = 2**63 - 1
"""The end of what has not ended."""

_STREAMS = {wire.STDOUT: "stdout", wire.STDERR: "stderr", wire.MERGED: "output"}
_READ = frozenset({"pipe", "socket", "file"})
"""The kinds of streams that are always read: where nothing comes, nothing was written."""

_FAULT = 1000
"""Characters of faults that are kept."""


class Watched(Protocol):
    """A command of which something more is wanted than how it ended: what its tests said."""

    fields: Fields
    """What the shim is answered."""

    def take(self, stream: str, data: bytes) -> None:
        """Take what it wrote, masked; on the listener's thread."""

    def results(self, end: CommandEnd) -> list[Span]:
        """Return the spans of what ran in it; on the recorder's thread."""

    def close(self) -> None:
        """Take no more of it: nothing of it is kept."""


@dataclass
class ShellContext(Generic[Opened]):
    """What the commands of a recording share.

    `admits` tells whether a command is to be recorded (the agent's own launch is not), `consents`
    whether what happened between two moments may be kept; `watch` returns who wants more of it.
    """

    post: Post
    commands: Commands[Opened]
    writer: TraceWriter
    redactor: Redactor
    admits: Callable[[CommandStart], bool] = lambda _: True
    consents: Callable[[int, int], bool] = lambda _start, _end: True
    watch: Callable[[CommandStart], Watched | None] = lambda _: None
    go: Fields = RECORD
    """What a command that is recorded is told, beside what `watch` has to tell it."""
    lost: int = 0
    """Bytes of output that are missing, of all commands that ended."""

    def take(self, hello: Hello, answer: Answer) -> Running[Opened] | None:
        """Take a shell's connection; None where the command is not to be recorded."""
        start = words.command_start(hello, time.time_ns())
        admitted = self.admits(start)
        if admitted and self.consents(start.started, GOING_ON):
            return Running(start, answer, self)
        answer(PASS if admitted else LAUNCH)
        return None

    def watched(self, start: CommandStart) -> Watched | None:
        """Return who wants more of a command; a fault there costs what it would have found."""
        try:
            return self.watch(start)
        except Exception:
            log.exception("a command was not looked at for tests")
            return None


class Running(Generic[Opened]):
    """A command in flight: a `Peer`."""

    def __init__(self, start: CommandStart, answer: Answer, context: ShellContext[Opened]) -> None:
        self._start = start
        self._context = context
        self._known = CommandEnd(state="cut")
        self._streams: dict[str, Stream] = {}
        self._faults: list[str] = []
        self._drained = False
        self._forgotten = False
        self._changed = False
        self._waits = False
        self._opened: Opened | None = None
        self._watched = context.watched(start)
        self._expect_streams()
        context.post(lambda: self._open(answer), at_once=True)

    def packets(self, packets: Sequence[Packet]) -> bool:
        """Take what the shim told; True once both the shell and its output have ended."""
        self._changed = True
        now = time.time_ns()
        self._forget_if_paused(now)
        for packet in packets:
            self._take(packet, words.credible(packet.time, self._start.started, now))
        whole = self._drained and bool(self._known.ended)
        if whole:
            self._finish()
        return whole

    def look(self) -> None:
        """Put on record what has come since the last look."""
        if self._changed and not self._waits and not self._forgotten:
            self._changed, self._waits = False, True
            outputs = {name: stream.look() for name, stream in self._streams.items()}
            known = self._so_far(outputs)
            self._context.post(lambda: self._put(known))

    def hung_up(self, why: str) -> None:
        """End the command with what is known."""
        if not self._known.ended:
            if not self._faults:
                self._fault(f"how it ended is not known: {why}")
            self._known.ended = time.time_ns()
        elif not self._drained:
            self._fault(f"its output may not be whole: {why}")
        self._finish()

    def close(self) -> None:
        """End the command because the recording ends; it goes on."""
        if self._known.ended:
            self._known.outlived = True
        else:
            self._known.ended, self._known.state = time.time_ns(), "running"
        self._finish()

    # --- what the shim says -----------------------------------------------------------------------

    def _take(self, packet: Packet, at: int) -> None:
        if packet.kind in _STREAMS:
            if not self._forgotten:
                self._stream(_STREAMS[packet.kind]).add(at, packet.payload)
        elif packet.kind == wire.ENDED:
            self._take_end(words.shell_end(packet.payload), at)
        elif packet.kind == wire.DRAINED:
            self._drained = True
            self._known.outlived, lost = words.drained(packet.payload)
            self._known.lost += lost
        elif packet.kind == wire.FAULT:
            self._fault(as_text(packet.payload))

    def _take_end(self, end: words.ShellEnd, at: int) -> None:
        known = self._known
        known.ended, known.state = max(at, self._start.started + 1), "ended"
        known.exit_code, known.signal = end.exit_code, end.signal
        known.user_seconds, known.system_seconds = end.user_seconds, end.system_seconds
        known.max_rss_bytes = end.max_rss_bytes
        if end.exit_code is None and not end.signal:
            self._fault("the shim did not say how it ended")

    def _expect_streams(self) -> None:
        kinds = self._start.streams
        if self._start.merged:
            kinds = {"output": kinds.get("stdout", "")}
        for name in _STREAMS.values():
            if kinds.get(name) in _READ:
                self._stream(name)

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            context, watched = self._context, self._watched
            also = partial(watched.take, name) if watched is not None else None
            self._streams[name] = Stream(
                self._start.started, context.redactor, context.writer, also
            )
        return self._streams[name]

    def _fault(self, text: str) -> None:
        text = self._context.redactor.mask_text(text)  # before it is cut
        if sum(map(len, self._faults)) < _FAULT and text not in self._faults:
            self._faults.append(text[:_FAULT])

    def _forget_if_paused(self, now: int) -> None:
        if not self._forgotten and not self._context.consents(self._start.started, now):
            self._forgotten = True
            self._streams.clear()

    # --- what becomes of it -----------------------------------------------------------------------

    def _so_far(self, outputs: dict[str, Output]) -> CommandEnd:
        lost = self._known.lost + sum(stream.lost for stream in self._streams.values())
        faults = [*self._faults]
        if lost > self._known.lost:
            faults.append("some of its output was dropped: too much waited for the disk")
        return msgspec.structs.replace(
            self._known, outputs=outputs, lost=lost, fault="; ".join(faults)
        )

    def _finish(self) -> None:
        self._forget_if_paused(self._known.ended)
        if self._forgotten:
            fault = "recording was paused while it ran"
            end = CommandEnd(ended=self._known.ended, state="unrecorded", fault=fault)
        else:
            end = self._so_far({name: stream.finish() for name, stream in self._streams.items()})
        self._context.lost += end.lost
        self._streams.clear()
        self._context.post(lambda: self._close(end))

    # --- on the recorder's thread -----------------------------------------------------------------

    def _open(self, answer: Answer) -> None:
        try:
            self._opened = self._context.commands.command_started(self._start)
        finally:
            more = () if self._watched is None else self._watched.fields
            answer((*self._context.go, *(each for each in more if each not in RECORD)))

    def _put(self, known: CommandEnd) -> None:
        self._waits = False
        if self._opened is not None:
            self._context.commands.command_going(self._opened, known)

    def _close(self, end: CommandEnd) -> None:
        watched, commands = self._watched, self._context.commands
        if self._opened is not None:
            commands.command_ended(self._opened, end)
        if watched is None:
            return
        if self._opened is None or self._forgotten:
            watched.close()
        elif spans := watched.results(end):
            commands.within_command(self._opened, spans)
