"""What the relay costs: direct, bare mitmdump and traceproof, side by side in one run.

Client, upstream and proxy are processes of their own. The client does what an agent does (CONNECT,
TLS, a kept connection, streamed answers); the upstream streams 200 chunks. Rounds alternate
between the three ways, since a shared machine's noise comes and goes; figures are medians of
rounds. The proxy's own CPU time a stream is the figure that noise touches least.

    python benchmarks/relay.py
    python benchmarks/relay.py --rounds 7 --sink package.module:factory

traceproof records in full: it masks, parses, compresses and writes, a session of its own for the
run. `--sink` measures the relay with another sink: a factory takes a folder to write in and returns
a Sink; it runs in the proxy's process. If the sink has `close()`, that is called at the end.
`benchmarks.relay:keep_last` is one that does nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out

from cryptography.hazmat.primitives import serialization

from benchmarks._traffic import CHUNKS, HOST, Scenario, client, upstream
from traceproof.proxy.authority import open_authority
from traceproof.proxy.exchange import Exchange, Sink
from traceproof.proxy.hosts import select
from traceproof.proxy.routes import parse_routes

MITMDUMP = """
def requestheaders(flow):
    flow.request.stream = lambda data: data
    data = flow.request.data
    data.host, data.port, data.scheme = "127.0.0.1", {port}, b"http"

def responseheaders(flow):
    flow.response.stream = lambda data: data
"""


SCENARIOS = (
    Scenario(1, 500, 20),
    Scenario(1, 200_000, 20),
    Scenario(20, 500, 60),
    Scenario(20, 200_000, 60),
)


class Figures(NamedTuple):
    """What one round of a scenario gave; milliseconds, but for streams a second."""

    latency: float
    first_byte: float
    rate: float
    cpu: float


@dataclass
class KeepLast:
    """A sink that does nothing but hold each exchange while it lasts."""

    held: dict[int, Exchange] = field(default_factory=dict)

    def request_started(self, exchange: Exchange) -> None:
        """Hold it."""
        self.held[id(exchange)] = exchange

    def request_ended(self, exchange: Exchange) -> None:
        """Do nothing."""

    def response_started(self, exchange: Exchange) -> None:
        """Do nothing."""

    def ended(self, exchange: Exchange) -> None:
        """Let go of it."""
        self.held.pop(id(exchange), None)

    def refuses(self) -> bool:
        """Never refuse."""
        return False


def keep_last(_: Path) -> Sink:
    """Return the default sink."""
    return KeepLast()


# The proxy process


def traceproof(folder: Path, port: int, factory: str) -> None:
    """Run our proxy until its standard input ends; print its port."""
    from traceproof.proxy.server import ProxyConfig, ProxyServer  # noqa: PLC0415

    module, _, name = factory.partition(":")
    make: Callable[[Path], Any] = getattr(importlib.import_module(module), name)
    sink = make(folder)
    routes = parse_routes([f"{HOST}=http://127.0.0.1:{port}"])
    config = ProxyConfig(
        open_authority(folder / "ca"), folder / "trusted.pem", select((), routes), routes
    )
    server = ProxyServer(config, sink)
    print(json.dumps([int(server.start().url.rpartition(":")[2])]), flush=True)
    sys.stdin.read()
    server.stop()
    if hasattr(sink, "close"):
        sink.close()


# The run


class Way(NamedTuple):
    """One of the three ways to the upstream."""

    name: str
    port: int
    process: int | None


def main() -> None:
    """Run the benchmark, or the part of it that a child process is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sink", default="", metavar="MODULE:FACTORY")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part(json.loads(options.part))
        return
    with (
        tempfile.TemporaryDirectory(prefix="traceproof-relay-") as folder,
        ways(Path(folder), options.sink) as three,
    ):
        rounds = [measure(Path(folder), three, number) for number in range(options.rounds)]
    figures = {
        way.name: [median([one[way.name][n] for one in rounds]) for n in range(len(SCENARIOS))]
        for way in three
    }
    print(json.dumps(figures) if options.json else table(figures))


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def part(what: dict[str, Any]) -> None:
    """Be one of the processes."""
    folder = Path(what["folder"])
    match what["role"]:
        case "upstream":
            asyncio.run(upstream(folder))
        case "client":
            asyncio.run(client(what["port"], what["proxied"], folder, Scenario(*what["load"])))
        case "traceproof":
            traceproof(folder, what["port"], what["sink"])


@contextlib.contextmanager
def ways(folder: Path, sink: str) -> Iterator[list[Way]]:
    """Start upstream and proxies."""
    prepare(folder)
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(child(role="upstream", folder=str(folder)))
        plain, secure = ports(served)
        ours = stack.enter_context(
            child(role="traceproof", folder=str(folder), port=plain, sink=sink or _DEFAULT)
        )
        (own,) = ports(ours)
        theirs, port = mitmdump(folder, plain)
        stack.enter_context(ended(theirs))
        yield [
            Way("direct", secure, None),
            Way("mitmdump", port, theirs.pid),
            Way("traceproof", own, ours.pid),
        ]


_DEFAULT = "benchmarks._recorder:sink"


def prepare(folder: Path, name: str = HOST) -> None:
    """Write the certificates: one CA for us, mitmdump and the direct upstream."""
    authority = open_authority(folder / "ca")
    leaf = authority.issue([name]).public_bytes(serialization.Encoding.PEM)
    key = authority.leaf_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(leaf + key)
    subprocess.run(
        [sys.executable, "-c", _MITMPROXY_CA, str(folder)], check=True, capture_output=True
    )
    theirs = (folder / "mitmproxy-ca-cert.pem").read_bytes()
    (folder / "trusted.pem").write_bytes(authority.pem + theirs)


_MITMPROXY_CA = """
import sys
from mitmproxy.certs import CertStore
CertStore.from_store(sys.argv[1], "mitmproxy", 2048)
"""


def mitmdump(folder: Path, upstream_port: int) -> tuple[subprocess.Popen[str], int]:
    """Start a bare, silent mitmdump; return it and its port once it listens."""
    script = folder / "bare.py"
    script.write_text(MITMDUMP.format(port=upstream_port))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("mitmdump")), "--quiet"]
    command += ["--set", f"confdir={folder}", "-s", str(script)]
    command += ["--set", "connection_strategy=lazy", "--set", "http2=false"]
    command += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    while process.poll() is None:
        with contextlib.suppress(ConnectionError):
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        time.sleep(0.05)
    raise RuntimeError("mitmdump did not start")


@contextlib.contextmanager
def child(**what: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a part of the benchmark beside us; it ends with the block."""
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, __file__, "--part", json.dumps(what)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    with ended(process):
        yield process


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def ports(process: subprocess.Popen[str]) -> list[int]:
    """Return the ports that a part says it listens on."""
    assert process.stdout
    found: list[int] = json.loads(process.stdout.readline())
    return found


def measure(folder: Path, three: list[Way], number: int) -> dict[str, list[Figures]]:
    """Put each load on each way, beginning with another one each time."""
    turned = three[number % 3 :] + three[: number % 3]
    found: dict[str, list[Figures]] = {way.name: [] for way in three}
    for load in SCENARIOS:
        for way in turned:
            found[way.name].append(measure_one(folder, way, load))
    return found


def measure_one(folder: Path, way: Way, load: Scenario) -> Figures:
    """Put one load on one way."""
    before = cpu_seconds(way.process)
    what = {
        "role": "client",
        "folder": str(folder),
        "port": way.port,
        "proxied": way.process is not None,
        "load": load,
    }
    result = subprocess.run(
        [sys.executable, __file__, "--part", json.dumps(what)],
        capture_output=True,
        text=True,
        check=True,
    )
    times = json.loads(result.stdout)
    streams = len(times["times"])
    spent = cpu_seconds(way.process) - before
    return Figures(
        latency=1000 * statistics.median(total for _, total in times["times"]),
        first_byte=1000 * statistics.median(first for first, _ in times["times"]),
        rate=streams / times["elapsed"],
        cpu=1000 * spent / (streams + load.at_once),
    )


def cpu_seconds(process: int | None) -> float:
    """Return the CPU time that a process has used."""
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(rounds: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))


def table(figures: dict[str, list[Figures]]) -> str:
    """Return the figures to read, each way beside the ratio to bare mitmdump."""
    lines = [f"streams of {CHUNKS} chunks; (x…) is the ratio to bare mitmdump"]
    for number, load in enumerate(SCENARIOS):
        base = figures["mitmdump"][number]
        lines += ["", f"{load}", f"{'':<12}{_TITLES}"]
        for name, rows in figures.items():
            cells = [f"{a:>9.2f} ({_ratio(a, b)})" for a, b in zip(rows[number], base, strict=True)]
            lines.append(f"  {name:<10}{''.join(f'{cell:>20}' for cell in cells)}")
    return "\n".join(lines)


_TITLES = "".join(
    f"{title:>20}" for title in ("p50 ms", "first byte ms", "streams/s", "proxy CPU ms")
)


def _ratio(value: float, base: float) -> str:
    return f"x{value / base:.2f}" if base else "-"


if __name__ == "__main__":
    main()
