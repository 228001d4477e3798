"""The proxy: our relay and mitmproxy's core on an event loop in a thread of the calling process.

Listens, starts and stops; what passes is the affair of `front.py`. It prints nothing, adds
no handler to the root logger and leaves signals alone: what there is to say goes to the logger
`traceproof.proxy`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from traceproof.proxy.access import Access
from traceproof.proxy.exchange import Sink
from traceproof.proxy.hosts import Hosts
from traceproof.proxy.routes import Origin, Routes
from traceproof.proxy.upstream import UpstreamProxies

try:
    from traceproof.proxy.addon import Relay
    from traceproof.proxy.authority import Authority
    from traceproof.proxy.destination import Destinations
    from traceproof.proxy.distrust import Distrust
    from traceproof.proxy.fallback import Fallback
    from traceproof.proxy.front import Front
    from traceproof.proxy.journal import Journal
    from traceproof.proxy.relay.agent import Relaying
    from traceproof.proxy.relay.contexts import Contexts
    from traceproof.proxy.relay.dial import Dialler
    from traceproof.proxy.relay.wire import Wire
    from traceproof.proxy.tls import Tls
except ModuleNotFoundError as error:
    raise ImportError(
        f"recording needs {(error.name or '').partition('.')[0]}: pip install 'traceproof[proxy]'",
        name=error.name,
    ) from error

log = logging.getLogger("traceproof.proxy")
log.addHandler(logging.NullHandler())

_HIGHEST_PORT = 65535
_TURNS = 10
"""Turns of the loop in which an accepted connection becomes ours; three, as of Python 3.13."""

_BACKLOG = 1024
"""Connections that may wait to be accepted: a team's agents can all begin at once."""

_Accept: TypeAlias = Callable[[Wire], None]


@dataclass(frozen=True)
class ProxyConfig:
    """What a proxy does, all of it read and checked."""

    authority: Authority
    roots: Path
    """PEM bundle that upstream servers are verified against."""
    hosts: Hosts = field(default_factory=Hosts)
    routes: Routes = field(default_factory=dict)
    proxies: UpstreamProxies = field(default_factory=UpstreamProxies)
    origins: tuple[Origin, ...] = ()
    """Reverse mode: the servers to stand in for, each with its path, one listener each.

    Empty is forward mode.
    """
    stand_ins: tuple[Origin, ...] = ()
    """More servers to stand in for, one listener on a free port each, whatever the mode."""
    listen_host: str = "127.0.0.1"
    listen_port: int = 0
    """0 picks a free one. In reverse mode the first listener's; the others follow it."""
    access: Access | None = None
    """Who may use the proxy, and its own pages; None admits everybody and has no pages."""


class Listening(NamedTuple):
    """Where a started proxy is reached."""

    url: str
    """The proxy in forward mode, the first base URL in reverse mode."""
    bases: Mapping[Origin, str]
    """The base URL that stands for each origin: of reverse mode, and of `stand_ins`."""


class ProxyServer:
    """A proxy that hands what passes to a sink; starts once, and one at a time in a process."""

    def __init__(self, config: ProxyConfig, sink: Sink) -> None:
        self._config = config
        self._journal = Journal(sink)
        self._distrust = Distrust()
        self._front = _front(config, self._journal, self._distrust)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._grace = 0.0

    @property
    def connections(self) -> int:
        """How many client connections are open; may be asked from any thread."""
        return self._front.connections

    @property
    def live(self) -> int:
        """How many exchanges are under way; may be asked from any thread."""
        return self._journal.live

    @property
    def tunnelled(self) -> Counter[str]:
        """How many connections passed unread, by host."""
        return self._journal.tunnelled

    @property
    def untrusted(self) -> Counter[str]:
        """How many connections ended because our certificate was not trusted, by host."""
        return self._distrust.untrusted

    @property
    def faults(self) -> Counter[str]:
        """How often the sink raised, by what it raised: the recording may lack something."""
        return self._journal.faults

    def start(self) -> Listening:
        """Listen; return once connections are taken.

        Raises:
            OSError: The address cannot be listened on.
            ValueError: There are not so many ports from the one that was asked for on.
        """
        self._check_ports()
        ready: Future[Listening] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="traceproof-proxy", daemon=True
        )
        self._thread.start()
        try:
            return ready.result()
        except Exception:
            self._thread.join()
            raise

    def stop(self, grace: float = 5.0) -> None:
        """Take no more connections, let calls under way end, and end.

        Kept connections without a call are closed at once. What is not over after `grace` seconds
        ends with the error "the proxy was stopped". Calling it again, or before a start, does
        nothing.
        """
        if self._thread is None or self._loop is None or not self._thread.is_alive():
            return
        self._grace = grace
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _check_ports(self) -> None:
        first, count = self._config.listen_port, len(self._config.origins)
        if first and first + count - 1 > _HIGHEST_PORT:
            raise ValueError(
                f"port {first} is too high: {count} listeners need one each from there on, "
                f"and {_HIGHEST_PORT} is the last"
            )

    def _run(self, ready: Future[Listening]) -> None:
        with _captured_logging():
            try:
                asyncio.run(self._serve(ready))
            except Exception as error:
                if not ready.done():
                    ready.set_exception(error)
                    return
                log.exception("the proxy ended")

    async def _serve(self, ready: Future[Listening]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_unhandled)
        if hasattr(asyncio, "eager_task_factory"):
            self._loop.set_task_factory(asyncio.eager_task_factory)
        servers: list[asyncio.Server] = []
        try:
            listening = await self._listen(servers)
            ready.set_result(listening)
            await self._stop.wait()
        finally:
            await _close(servers)
        await self._front.settle()
        await self._drain()
        self._journal.abandon()
        await self._front.close(seconds=1.0)

    async def _listen(self, servers: list[asyncio.Server]) -> Listening:
        config = self._config
        bases: dict[Origin, str] = {}
        url = ""
        if not config.origins:
            url = await self._open(servers, self._front.forward, config.listen_port)
        for number, origin in enumerate(config.origins):
            port = config.listen_port + number if config.listen_port else 0
            bases[origin] = await self._stand_in(servers, origin, port)
        for origin in config.stand_ins:
            bases.setdefault(origin, await self._stand_in(servers, origin, 0))
        return Listening(url or next(iter(bases.values())), bases)

    async def _stand_in(self, servers: list[asyncio.Server], origin: Origin, port: int) -> str:
        return await self._open(servers, partial(self._front.reverse, origin), port)

    async def _open(self, servers: list[asyncio.Server], accept: _Accept, port: int) -> str:
        host, loop = self._config.listen_host, asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: Wire(accept), host, port, backlog=_BACKLOG)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise OSError(error.errno, f"cannot listen on {host}:{port}: {why}") from None
        servers.append(server)
        bound: tuple[str, int] = server.sockets[0].getsockname()[:2]
        self._journal.own.add(bound)
        return _url(*bound)

    async def _drain(self) -> None:
        idle = asyncio.Event()
        self._journal.on_idle = idle.set
        if self._journal.live:
            try:
                await asyncio.wait_for(idle.wait(), self._grace)
            except TimeoutError:
                log.warning("calls were still under way when the proxy stopped")


def _front(config: ProxyConfig, journal: Journal, distrust: Distrust) -> Front:
    destinations = Destinations(config.hosts, config.routes, config.proxies)
    contexts = Contexts(config.authority, config.roots)
    dialler = Dialler(contexts, journal.check_address)
    relaying = Relaying(journal, destinations, dialler, distrust, config.access)
    addon = Relay(journal, destinations, distrust, config.access)
    return Front(relaying, contexts, Fallback(addon, Tls(config.authority, config.roots, distrust)))


async def _close(servers: list[asyncio.Server]) -> None:
    """Stop listening; what the loop has accepted is served.

    A server that is closed between the two steps of accepting a connection loses it, unclosed.
    """
    loop = asyncio.get_running_loop()
    for listener in [sock for server in servers for sock in server.sockets]:
        loop.remove_reader(listener)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    for server in servers:
        server.close()


def _url(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _log_unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("unhandled in the proxy: %s", context["message"], exc_info=context.get("exception"))


class _Forward(logging.Handler):
    """Passes mitmproxy's log records to our logger."""

    def emit(self, record: logging.LogRecord) -> None:
        log.handle(record)


@contextmanager
def _captured_logging() -> Iterator[None]:
    """Keep mitmproxy's records from the root logger, and so from the terminal."""
    theirs = logging.getLogger("mitmproxy")
    level, propagate, handler = theirs.level, theirs.propagate, _Forward()
    theirs.setLevel(logging.WARNING)
    theirs.propagate = False
    theirs.addHandler(handler)
    try:
        yield
    finally:
        theirs.removeHandler(handler)
        theirs.setLevel(level)
        theirs.propagate = propagate
