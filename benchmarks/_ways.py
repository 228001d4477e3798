"""The ways to an upstream that `rivals.py` compares, each as its makers would have it run.

Reverse is what claude-tap does with `ANTHROPIC_BASE_URL`: plain HTTP in, the upstream's own scheme
out (here plain). Forward is CONNECT, TLS in and TLS out.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._load import NAME, Where
from benchmarks._processes import ROOT, child, first_line, free_port, listening
from traceproof.proxy.authority import open_authority
from traceproof.proxy.hosts import select
from traceproof.proxy.routes import parse_origin
from traceproof.proxy.server import ProxyConfig, ProxyServer
from traceproof.recorder.reader import TraceReader

REVERSE, FORWARD = "reverse", "forward"
TAP_SOURCE = ROOT / "benchmarks" / "rivals.txt"

_SCRIPT = """
def requestheaders(flow):
    flow.request.stream = lambda data: data

def responseheaders(flow):
    flow.response.stream = lambda data: data
"""


@dataclass
class Way:
    """One way to the upstream, while it is open."""

    name: str
    where: Where
    process: int | None = None
    recorded: Callable[[], int] | None = None
    """Counts the model calls on record; None where nothing is recorded."""
    stored: tuple[Path, ...] = ()
    """The files that hold the trace."""

    def size(self) -> int:
        """Return the bytes of the trace."""
        return sum(path.stat().st_size for path in self.stored if path.exists())


@dataclass(frozen=True)
class Site:
    """Where a way is set up: a folder with certificates, and the upstream's ports."""

    folder: Path
    mode: str
    plain: int
    secure: int

    @property
    def origin(self) -> str:
        """The upstream of reverse mode."""
        return f"http://127.0.0.1:{self.plain}"

    def where(self, port: int) -> Where:
        """Return how the client reaches the upstream through a proxy."""
        if self.mode == REVERSE:
            return Where(port)
        return Where(port, secure=True, through=f"{NAME}:{self.secure}")


@contextlib.contextmanager
def direct(site: Site) -> Iterator[Way]:
    """No proxy."""
    secure = site.mode == FORWARD
    yield Way("direct", Where(site.secure if secure else site.plain, secure=secure))


@contextlib.contextmanager
def mitmdump(site: Site, save: Path | None = None) -> Iterator[Way]:
    """Open a bare, silent mitmdump with pass-through stream callbacks; or one that saves flows."""
    script, port = site.folder / "bare.py", free_port()
    script.write_text(_SCRIPT)
    command = [str(Path(sys.executable).with_name("mitmdump")), "--quiet"]
    command += ["--save-stream-file", str(save)] if save else ["-s", str(script)]
    command += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    options = [f"confdir={site.folder}", "connection_strategy=lazy", "http2=false"]
    options += [f"ssl_verify_upstream_trusted_ca={site.folder / 'trusted.pem'}"]
    command += [part for option in options for part in ("--set", option)]
    command += ["--mode", f"reverse:{site.origin}"] if site.mode == REVERSE else []
    log = site.folder / "mitmdump.log"
    with listening(command, port, os.environ, log) as process:
        yield Way("mitmdump", site.where(port), process.pid, stored=(save,) if save else ())


# claude-tap


def tap_version() -> str:
    """Return the release that we compare with."""
    lines = TAP_SOURCE.read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("claude-tap=="))


def tap_program() -> Path:
    """Install claude-tap in an environment of its own, once; return its command."""
    home = ROOT / ".agents" / f"claude-tap-{tap_version()}"
    program = home / "bin" / "claude-tap"
    if not program.exists():
        venv.create(home, clear=True, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-qq"]
        subprocess.run([*pip, "-r", str(TAP_SOURCE)], check=True)
    return program


@contextlib.contextmanager
def claude_tap(site: Site, *, events: bool = False) -> Iterator[Way]:
    """Open claude-tap's proxy without a client and without its dashboard, else as it comes.

    `events` makes it keep the stream's events too, which it does not by itself.
    """
    home = site.folder / f"tap-{time.monotonic_ns()}"
    home.mkdir()
    data, port = home / "trace.sqlite3", free_port()
    command = [str(tap_program()), "--tap-no-launch", "--tap-no-live", "--tap-no-open"]
    command += ["--tap-host", "127.0.0.1", "--tap-port", str(port)]
    command += ["--tap-proxy-mode", site.mode, "--tap-target", site.origin]
    command += ["--tap-store-stream-events"] if events else []
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    environment |= {"HOME": str(home), "CLOUDTAP_DB": str(data)}
    environment |= {"SSL_CERT_FILE": str(site.folder / "trusted.pem")}
    with listening(command, port, environment, home / "tap.log") as process:
        files = (data, data.with_name(data.name + "-wal"))
        yield Way("claude-tap", site.where(port), process.pid, lambda: _tap_records(data), files)


def _tap_records(data: Path) -> int:
    with contextlib.closing(sqlite3.connect(data)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
    return int(count)


# traceproof


@contextlib.contextmanager
def traceproof(site: Site) -> Iterator[Way]:
    """Open our proxy with the whole recorder behind it."""
    trace = site.folder / f"{time.monotonic_ns()}.otlp.jsonl.zst"
    script = str(ROOT / "benchmarks" / "rivals.py")
    what = {"folder": str(site.folder), "mode": site.mode, "origin": site.origin}
    with child(script, role="traceproof", trace=str(trace), **what) as process:
        where = site.where(int(first_line(process)))
        yield Way("traceproof", where, process.pid, lambda: _chats(trace), (trace,))


def _chats(trace: Path) -> int:
    with TraceReader.open(trace) as reader:
        return sum(
            span.attributes.get("traceproof.call.state") == "complete" for span in reader.spans()
        )


def run_traceproof(folder: Path, mode: str, origin: str, trace: Path) -> None:
    """Be our proxy's process until its standard input ends; print the port."""
    from benchmarks._recorder import Recorder  # noqa: PLC0415 - the other parts need it not

    origins = (parse_origin(origin),) if mode == REVERSE else ()
    config = ProxyConfig(
        open_authority(folder / "ca"), folder / "trusted.pem", select((NAME,)), origins=origins
    )
    recorder = Recorder(trace)
    server = ProxyServer(config, recorder)
    print(json.dumps(int(server.start().url.rpartition(":")[2])), flush=True)
    sys.stdin.read()
    server.stop()
    recorder.close()
