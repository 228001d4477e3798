"""A cheap load: a server that streams prepared bytes, and a client that counts.

What they cost themselves hides what a proxy costs. So both are bare protocols on one event loop
each, without an HTTP library: on plain HTTP a stream of 200 chunks takes them about 1 ms.
Each chunk is a `send` of its own. Who reads slowly gets several at once, as from any server.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks._traffic import AFTER, BEFORE, CHUNKS, DELTA, END, HEAD, LAST, conversation

NAME = "localhost"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PAUSE = re.compile(rb"x-pause: *([\d.]+)", re.IGNORECASE)
_BLANK = b"\r\n\r\n"


class Load(NamedTuple):
    """So many streams at once, asked for with so many bytes, `pause` seconds between chunks."""

    at_once: int
    body: int
    streams: int
    pause: float = 0.0

    def __str__(self) -> str:
        paced = f", a chunk every {1000 * self.pause:.0f} ms" if self.pause else ""
        size = f"{self.body / 1000:g} kB" if self.body >= 1000 else f"{self.body} B"
        return f"{self.at_once} at once, {size}{paced}"


# The server


class Upstream(asyncio.Protocol):
    """Answers each request of a connection with a stream; `x-pause` in it says how slowly."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._received += data
        end = self._received.find(_BLANK)
        if end < 0:
            return
        head = bytes(self._received[:end])
        length, pause = _LENGTH.search(head), _PAUSE.search(head)
        whole = end + len(_BLANK) + (int(length[1]) if length else 0)
        if len(self._received) >= whole:
            del self._received[:whole]
            self._begin(float(pause[1]) if pause else 0.0)

    def _begin(self, pause: float) -> None:
        assert self._transport
        self._transport.write(HEAD + BEFORE)
        if pause:
            self._paced(CHUNKS, pause, asyncio.get_running_loop().time())
            return
        for _ in range(CHUNKS):
            self._transport.write(DELTA)
        self._transport.write(AFTER + END[2:])

    def _paced(self, left: int, pause: float, at: float) -> None:
        assert self._transport
        if not left:
            self._transport.write(AFTER + END[2:])
            return
        self._transport.write(DELTA)
        loop = asyncio.get_running_loop()
        loop.call_at(at + pause, partial(self._paced, left - 1, pause, at + pause))


async def serve(folder: Path) -> None:
    """Serve streams, plain and by TLS, until our input ends; print both ports."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Upstream, "127.0.0.1", 0)
    secure = await loop.create_server(Upstream, "127.0.0.1", 0, ssl=context)
    print(json.dumps([s.sockets[0].getsockname()[1] for s in (plain, secure)]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# The client


class Where(NamedTuple):
    """Where the client connects, and what it says there.

    `through` is the authority that it asks a proxy to CONNECT it to; then it speaks TLS.
    `path` is what stands before `/v1/messages`.
    """

    port: int
    secure: bool = False
    through: str = ""
    path: str = ""


class Caller(asyncio.Protocol):
    """One connection that makes a call after the other."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        """Take a connection over from its writer, which would close it if nobody kept it."""
        self._writer = writer
        self._transport = writer.transport
        self._transport.set_protocol(self)
        self._tail = b""
        self._started = self._first = 0.0
        self._done: asyncio.Future[tuple[float, float]] | None = None

    def call(self, request: bytes) -> asyncio.Future[tuple[float, float]]:
        """Make a call; the result is the seconds to its first byte and to its end."""
        self._done = asyncio.get_running_loop().create_future()
        self._tail, self._first = b"", 0.0
        self._started = time.perf_counter()
        self._transport.write(request)
        return self._done

    def data_received(self, data: bytes) -> None:
        """Take note of the first byte, and of the end."""
        if not self._first:
            self._first = time.perf_counter()
            if not data.startswith(b"HTTP/1.1 200"):
                self._fail(data[:200].decode(errors="replace"))
                return
        self._tail = (self._tail + data)[-len(END) :] if len(data) < len(END) else data[-len(END) :]
        if self._tail == END and self._done is not None:
            now = time.perf_counter()
            self._done.set_result((self._first - self._started, now - self._started))
            self._done = None

    def connection_lost(self, _: Exception | None) -> None:
        """Fail a call under way."""
        self._fail("the stream was cut off")

    def _fail(self, message: str) -> None:
        if self._done is not None:
            self._done.set_exception(EOFError(message))
            self._done = None


async def connect(where: Where) -> Caller:
    """Return a caller that is connected, through CONNECT and TLS where they are wanted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", where.port)
    if where.through:
        writer.write(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % ((where.through.encode(),) * 2))
        await reader.readuntil(_BLANK)
    if where.secure:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(context, server_hostname=NAME)
    return Caller(writer)


class Requests:
    """Requests that resend a conversation with something new at its end."""

    def __init__(self, where: Where, load: Load) -> None:
        self._body = conversation(load.body)
        self._number = 0
        lines = [
            f"POST {where.path}/v1/messages HTTP/1.1",
            f"Host: {where.through or f'127.0.0.1:{where.port}'}",
            "Content-Type: application/json",
            "anthropic-version: 2023-06-01",
            f"Content-Length: {len(self._body) + len(LAST % 0)}",
        ]
        lines += [f"x-pause: {load.pause}"] if load.pause else []
        self._head = "\r\n".join([*lines, "", ""]).encode()

    def next(self) -> bytes:
        """Return one more."""
        self._number += 1
        return self._head + self._body + LAST % self._number


async def put(where: Where, load: Load) -> dict[str, Any]:
    """Put a load on a server or a proxy; return its times in seconds, after one call to warm up."""
    requests = Requests(where, load)
    callers = [await connect(where) for _ in range(load.at_once)]
    await asyncio.gather(*(caller.call(requests.next()) for caller in callers))
    started = time.perf_counter()
    times = await asyncio.gather(
        *(_calls(caller, requests, load.streams // load.at_once) for caller in callers)
    )
    elapsed = time.perf_counter() - started
    return {"elapsed": elapsed, "times": [row for rows in times for row in rows]}


async def _calls(caller: Caller, requests: Requests, count: int) -> list[tuple[float, float]]:
    return [await caller.call(requests.next()) for _ in range(count)]
