from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.authority import Authority
from traceproof.proxy.routes import parse_origin
from traceproof.proxy.server import ProxyConfig, ProxyServer
from traceproof.proxy.trust import TrustFiles

if TYPE_CHECKING:
    from tests.proxy.conftest import Server, Starting, Wire

HOST = "api.anthropic.com"
PORT = f"{HOST}:443"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n"

Serve = Callable[..., "Server"]


def test_stopping_lets_a_call_end(serve: Serve, start: Starting) -> None:
    stopping = threading.Event()

    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1")
        assert stopping.wait(10)
        wire.send(b"23")

    relay = start(**serve(script).route(HOST))
    agent = relay.secure(PORT)
    agent.send(GET)
    agent.until(b"\r\n\r\n1")

    stopper = threading.Thread(target=relay.server.stop, args=(10,))
    stopper.start()
    stopping.set()

    assert agent.exactly(2) == b"23"
    stopper.join()
    assert relay.sink.wait().error == ""
    assert agent.rest() == b""
    agent.close()


def test_stopping_cuts_a_call_off_after_the_grace(serve: Serve, start: Starting) -> None:
    def script(wire: Wire) -> None:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1")
        wire.rest()

    relay = start(**serve(script).route(HOST))
    with relay.secure(PORT) as agent:
        agent.send(GET)
        agent.until(b"\r\n\r\n1")

        relay.server.stop(grace=0)

        exchange = relay.sink.wait()
        assert exchange.error == "the proxy was stopped"
        assert agent.rest() == b""
    assert [name for name, _ in relay.sink.told].count("ended") == 1


def test_stopping_closes_idle_connections_while_a_call_goes_on(
    serve: Serve, start: Starting
) -> None:
    closed = threading.Event()

    def script(wire: Wire) -> None:
        while request := wire.request():
            if request.startswith(b"GET /slow"):
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n1")
                assert closed.wait(10)
                wire.send(b"23")
            else:
                wire.send(OK)

    relay = start(**serve(script).route(HOST))
    busy, idle = relay.secure(PORT), relay.secure(PORT)
    idle.send(GET)
    assert idle.response() == OK
    busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    busy.until(b"\r\n\r\n1")
    assert (relay.server.live, relay.server.connections) == (1, 2)

    stopper = threading.Thread(target=relay.server.stop, args=(10,))
    stopper.start()

    assert idle.rest() == b""
    closed.set()
    assert busy.rest() == b"23"
    stopper.join()
    assert (relay.server.live, relay.server.connections) == (0, 0)
    assert [exchange.error for name, exchange in relay.sink.told if name == "ended"] == ["", ""]
    for agent in (busy, idle):
        agent.close()


def test_what_was_sent_just_before_the_stop_is_served(serve: Serve, start: Starting) -> None:
    relay = start(**serve().route(HOST))
    agent = relay.secure(PORT)
    agent.send(GET)

    relay.server.stop()

    assert agent.rest() == OK
    assert relay.sink.wait().error == ""
    agent.close()


def test_stopping_again_or_before_a_start_does_nothing(
    start: Starting, authority: Authority, trust: TrustFiles
) -> None:
    relay = start()
    relay.server.stop()
    relay.server.stop()

    ProxyServer(ProxyConfig(authority, trust.roots), relay.sink).stop()


def test_a_busy_port_is_one_clear_line(
    authority: Authority, trust: TrustFiles, start: Starting
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        config = ProxyConfig(authority, trust.roots, listen_port=port)
        server = ProxyServer(config, start().sink)

        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{port}: ") as caught:
            server.start()

    assert "\n" not in str(caught.value)


def test_ports_that_there_are_not_so_many_of_are_one_clear_line(
    authority: Authority, trust: TrustFiles, start: Starting
) -> None:
    origins = tuple(map(parse_origin, ("a.example", "b.example", "c.example")))
    config = ProxyConfig(authority, trust.roots, origins=origins, listen_port=65534)

    with pytest.raises(ValueError, match="port 65534 is too high: 3 listeners need one each"):
        ProxyServer(config, start().sink).start()


def test_in_reverse_paths_and_schemes_of_one_server_are_kept_apart(
    serve: Serve, start: Starting
) -> None:
    heard: list[bytes] = []

    def script(wire: Wire) -> None:
        heard.append(wire.head().split()[1])
        wire.send(OK)

    gateway = serve(script)
    texts = (f"{gateway.url}/openai/v1", f"{gateway.url}/anthropic", gateway.url)
    origins = (*map(parse_origin, texts), parse_origin(gateway.url.replace("http:", "https:")))
    bases = start(origins=origins).listening.bases

    assert len(set(bases.values())) == len(origins)
    for origin in origins[:3]:
        with socket.create_connection(("127.0.0.1", int(bases[origin].rpartition(":")[2]))) as sock:
            sock.sendall(b"GET /call HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")

    assert heard == [b"/openai/v1/call", b"/anthropic/call", b"/call"]


def test_it_listens_on_loopback_alone(start: Starting) -> None:
    assert start().listening.url.startswith("http://127.0.0.1:")


def test_it_adds_no_log_handler_and_leaves_signals_alone(serve: Serve, start: Starting) -> None:
    handlers, interrupt = list(logging.getLogger().handlers), signal.getsignal(signal.SIGINT)
    theirs = list(logging.getLogger("mitmproxy").handlers)
    relay = start(**serve().route(HOST))

    assert logging.getLogger().handlers == handlers
    assert signal.getsignal(signal.SIGINT) is interrupt
    relay.server.stop()
    assert logging.getLogger("mitmproxy").handlers == theirs


QUIET = """
import sys
sys.modules["mitmproxy"] = None
try:
    import traceproof.proxy.server
except ImportError as error:
    print(error)
"""


def test_without_mitmproxy_the_import_says_what_to_install() -> None:
    result = subprocess.run(
        [sys.executable, "-c", QUIET], capture_output=True, text=True, check=True
    )

    assert result.stdout == "recording needs mitmproxy: pip install 'traceproof[proxy]'\n"
