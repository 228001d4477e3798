"""Raw tunnels: a CONNECT for a host we do not read, dialled and spliced, bytes unseen."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from traceproof.proxy.upstream import UpstreamProxy

_BLOCK = 65536


class Stream(NamedTuple):
    """Both directions of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def dialled(
    host: str, port: int, proxy: UpstreamProxy | None, roots: Path
) -> AsyncIterator[Stream]:
    """Connect to a server, through the environment's proxy where one is given.

    Raises:
        OSError: It could not be reached, or the proxy refused.
    """
    if proxy is None:
        stream = Stream(*await asyncio.open_connection(host, port))
    else:
        context = ssl.create_default_context(cafile=roots) if proxy.scheme == "https" else None
        stream = Stream(*await asyncio.open_connection(proxy.host, proxy.port, ssl=context))
    try:
        if proxy is not None:
            await _ask(stream, proxy, host, port)
        yield stream
    finally:
        stream.writer.close()


async def splice(one: Stream, other: Stream) -> None:
    """Copy both ways until both sides have ended, or one is broken."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(one.reader, other.writer))
            group.create_task(_copy(other.reader, one.writer))
    except* OSError:
        pass  # one side broke off; the caller closes both


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_BLOCK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()


async def _ask(stream: Stream, proxy: UpstreamProxy, host: str, port: int) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.authorization:
        head += f"Proxy-Authorization: {proxy.authorization}\r\n"
    stream.writer.write(head.encode() + b"\r\n")
    where = f"the proxy {proxy.host}:{proxy.port}"
    try:
        answer = await stream.reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise OSError(f"{where} did not answer CONNECT") from None
    status = answer.partition(b"\r\n")[0].decode("latin-1").partition(" ")[2]
    if not status.startswith("2"):
        raise OSError(f"{where} refused CONNECT: {status}")
