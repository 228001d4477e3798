"""One server over stdio, as its tee tells of it: packets in, lines out to the recorder's thread.

Used from the listener's thread; a line that is not whole waits in memory. What the server writes on
stderr goes into the file as it comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from traceproof.recorder import semconv
from traceproof.recorder.mcp.calls import McpCalls, McpServer
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.shell import words
from traceproof.recorder.shell.commandspan import output_attributes
from traceproof.recorder.shell.connection import Hello, Packet
from traceproof.recorder.shell.outputs import Stream
from traceproof.recorder.shell.peers import PASS, Answer, Post
from traceproof.recorder.shim import wire
from traceproof.recorder.span import Attributes
from traceproof.recorder.writer import TraceWriter

_LONGEST = 256 << 20
"""Bytes of a line that are kept; of a longer one nothing is."""

_GOING_ON = 2**63 - 1
_KINDS = {
    wire.FROM_CLIENT: (0, True),
    wire.FROM_CLIENT_PIECE: (0, False),
    wire.FROM_SERVER: (1, True),
    wire.FROM_SERVER_PIECE: (1, False),
}
"""Whose line it is, and whether it ends with this packet."""


@dataclass
class McpContext:
    """What the servers of a recording share.

    `consents` tells whether what happened between two moments may be kept.
    """

    post: Post
    calls: McpCalls
    writer: TraceWriter
    redactor: Redactor
    consents: Callable[[int, int], bool] = lambda _start, _end: True

    def take(self, hello: Hello, answer: Answer) -> StdioServer | None:
        """Take a tee's connection; None while recording is paused."""
        now = time.time_ns()
        if not self.consents(now, _GOING_ON):
            answer(PASS)
            return None
        answer()
        return StdioServer(hello, words.credible(hello.time, 0, now), self)


class StdioServer:
    """A server in flight: a `Peer`."""

    def __init__(self, hello: Hello, started: int, context: McpContext) -> None:
        self._context = context
        self._started = started
        self._name = hello.text("server")
        self._lines = (bytearray(), bytearray())
        self._began = [0, 0]
        """When the first piece came of a line that is not whole yet; 0 where there is none."""
        self._too_long = [False, False]
        self._ended = 0
        self._end: Attributes = {}
        self._server: McpServer | None = None
        self._stderr: Stream | None = None
        if hello.text("fd2") in {"pipe", "socket"}:
            self._stderr = Stream(started, context.redactor, context.writer)
        facts: Attributes = {
            semconv.NETWORK_TRANSPORT: "pipe",
            semconv.PROCESS_COMMAND_ARGS: hello.all("arg"),
            semconv.PROCESS_WORKING_DIRECTORY: hello.text("cwd"),
            semconv.PROCESS_PID: hello.number("pid"),
        }
        context.post(lambda: self._open(facts))

    def packets(self, packets: Sequence[Packet]) -> bool:
        """Take what the tee told; True once the server and its output have ended."""
        now = time.time_ns()
        drained = False
        for packet in packets:
            at = words.credible(packet.time, self._started, now)
            if packet.kind in _KINDS:
                self._take_line(*_KINDS[packet.kind], packet.payload, at)
            elif packet.kind == wire.STDERR and self._stderr is not None:
                if self._context.consents(at, now):
                    self._stderr.add(at, packet.payload)
            elif packet.kind == wire.ENDED:
                self._take_end(packet.payload, at)
            drained = drained or packet.kind == wire.DRAINED
        if drained:
            self._finish("ended" if self._ended else "cut")
        return drained

    def look(self) -> None:
        """Put what came on stderr on the disk."""
        if self._stderr is not None:
            self._stderr.look()

    def hung_up(self, _why: str) -> None:
        """End it with what is known: its tee is gone."""
        self._finish("ended" if self._ended else "cut")

    def close(self) -> None:
        """End it because the recording ends; it goes on."""
        self._finish("ended" if self._ended else "running")

    def _open(self, facts: Attributes) -> None:
        self._server = self._context.calls.server(self._name, self._started, facts)

    def _take_line(self, side: int, whole: bool, payload: bytes, at: int) -> None:
        line = self._lines[side]
        if len(line) + len(payload) > _LONGEST:
            self._too_long[side] = True
        if self._too_long[side]:
            line.clear()
        else:
            line += payload
        if not whole:
            self._began[side] = self._began[side] or at
        else:
            data, began = bytes(line), self._began[side] or at
            line.clear()
            self._too_long[side], self._began[side] = False, 0
            if data and self._context.consents(began, max(began, at)):
                self._context.post(lambda: self._tell(side, data, at))

    def _tell(self, side: int, data: bytes, at: int) -> None:
        if self._server is None:
            return
        if side == 0:
            self._server.from_client(at, data)
        else:
            self._server.from_server(at, data)

    def _take_end(self, payload: bytes, at: int) -> None:
        end = words.shell_end(payload)
        self._ended = at
        if end.exit_code is not None:
            self._end[semconv.PROCESS_EXIT_CODE] = end.exit_code
        if end.signal:
            self._end[semconv.COMMAND_SIGNAL] = end.signal

    def _finish(self, state: str) -> None:
        ended = self._ended or time.time_ns()
        attributes: Attributes = {**self._end, semconv.MCP_STATE: state}
        if self._stderr is not None:
            attributes |= output_attributes(semconv.MCP_STDERR, self._stderr.finish())
        self._context.post(lambda: self._close(ended, attributes))

    def _close(self, ended: int, attributes: Attributes) -> None:
        if self._server is not None:
            self._server.ended(ended, attributes)
