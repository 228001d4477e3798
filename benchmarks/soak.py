"""A team's proxy under load for minutes: nothing lost, memory and lag bounded, a clean end.

Agents and model are processes of their own, the proxy is `traceproof proxy` as anybody starts it.
Every agent keeps one call under way all the time. Afterwards each call that an agent heard to its
end is looked for in the traces. Then the same again for some seconds, and `kill -9`.

    python benchmarks/soak.py                       200 streams for 10 minutes
    python benchmarks/soak.py --minutes 1 --json
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out

from benchmarks._soak import HOST, Agents, Load, model
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.store import Store

SECOND = 10**9
EVERY = 1.0
UNDER_LOAD = 15.0
"""Seconds of load before the kill."""

_FIGURE = re.compile(rb"^traceproof_(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Look(NamedTuple):
    """The proxy at one moment; memory in MB, `at` and `lag` and `cpu` in seconds."""

    at: float
    memory: float
    lag: float
    waiting: float
    live: float
    sessions: float
    cpu: float
    threads: int


class Found(NamedTuple):
    """What the traces hold: calls by their state, spans that are pending, and what has no line."""

    complete: set[str]
    other: dict[str, str]
    pending: set[str]
    empty: list[Path]


def main() -> None:
    """Run the soak, or the part of it that a child process is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--streams", type=int, default=Load().streams)
    parser.add_argument("--chunks", type=int, default=Load().chunks)
    parser.add_argument("--pause", type=float, default=Load().pause)
    parser.add_argument("--turns", type=int, default=Load().turns)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the traces where they are")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    load = Load(options.streams, options.chunks, options.pause, options.turns)
    if options.part:
        part(json.loads(options.part), load)
        return
    folder = Path(tempfile.mkdtemp(prefix="traceproof-soak-"))
    try:
        report = {
            "load": load._asdict(),
            "soak": soak(folder / "soak", load, 60 * options.minutes),
            "killed": killed(folder / "killed", load),
        }
    finally:
        if not options.keep:
            subprocess.run(["rm", "-rf", str(folder)], check=True)
    print(json.dumps(report, indent=2) if options.json else text(report))


def part(what: dict[str, Any], load: Load) -> None:
    """Be one of the processes."""
    if what["role"] == "model":
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(model(load))
    else:
        asyncio.run(Agents(what["port"], what["ca"], load, what["prefix"]).run())


# --- the two runs ---------------------------------------------------------------------------------


def soak(folder: Path, load: Load, seconds: float) -> dict[str, Any]:
    """Put the load on a proxy for so long, stop it cleanly, and look for every call."""
    with running(folder, load) as (proxy, port):
        agents = start_agents(folder, load, port)
        looks = watch(proxy.pid, port, seconds)
        agents.send_signal(signal.SIGTERM)
        heard = json.loads(agents.communicate()[0])
        began = time.monotonic()
        proxy.send_signal(signal.SIGTERM)
        code = proxy.wait()
        drained = time.monotonic() - began
    found = look_up(folder)
    whole = set(heard["whole"])
    half = looks[len(looks) // 2 :]
    return {
        "seconds": round(seconds, 1),
        "streams": len(whole),
        "streams_per_second": round(len(whole) / seconds, 1),
        "lost": len(whole - found.complete),
        "not_complete": {call: found.other[call] for call in sorted(whole & set(found.other))},
        "failed_at_agents": len(heard["failed"]),
        "slowest_call_seconds": round(heard["slowest"], 2),
        "traces": len(Store(folder).paths()),
        "store_mb": round(sum(path.stat().st_size for path in Store(folder).paths()) / 1e6, 1),
        "memory_mb": along(looks, "memory"),
        "memory_growth_mb_per_minute": round(slope(half), 2),
        "lag_seconds": spread(look.lag for look in looks),
        "lag_mb": spread(look.waiting / 1e6 for look in looks),
        "streams_live": spread(look.live for look in looks),
        "sessions_open": spread(look.sessions for look in looks),
        "threads": max(look.threads for look in looks),
        "proxy_cpu_percent": round(100 * looks[-1].cpu / looks[-1].at),
        "drain_seconds": round(drained, 2),
        "exit_code": code,
        "last_line": (folder / "stderr").read_text().splitlines()[-1],
    }


def killed(folder: Path, load: Load) -> dict[str, Any]:
    """Kill a proxy under load, and look for every call that ended a second before."""
    with running(folder, load) as (proxy, port):
        agents = start_agents(folder, load, port)
        looks = watch(proxy.pid, port, max(UNDER_LOAD, 2 * load.chunks * load.pause))
        moment = time.time_ns()
        proxy.kill()
        proxy.wait()
        agents.send_signal(signal.SIGTERM)
        heard = json.loads(agents.communicate()[0])
    found = look_up(folder)
    before = {call for call, ended in heard["whole"].items() if ended <= moment - SECOND}
    last = {call for call, ended in heard["whole"].items() if moment - SECOND < ended <= moment}
    return {
        "streams_live": looks[-1].live,
        "ended_a_second_before": len(before),
        "of_these_lost": len(before - found.complete),
        "ended_in_the_last_second": len(last),
        "of_these_in_the_traces": len(last & found.complete),
        "calls_in_flight_on_record": len(found.pending),
        "traces": len(Store(folder).paths()),
        "empty_traces": len(found.empty),
    }


@contextlib.contextmanager
def running(folder: Path, load: Load) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run model and proxy; give the proxy and its port."""
    folder.mkdir()
    served = child(load, role="model")
    assert served.stdout
    with ended(served):
        route = f"{HOST}=http://127.0.0.1:{served.stdout.readline().strip()}"
        command = [sys.executable, "-P", "-m", "traceproof", "proxy", "--json", "--idle", "1"]
        command += ["--listen", "127.0.0.1:0", "--route", route, "--store", str(folder)]
        with (folder / "stderr").open("wb") as stderr:
            proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert proxy.stdout
        with ended(proxy):
            document = json.JSONDecoder()
            told = "".join(iter(proxy.stdout.readline, "}\n")) + "}"
            yield proxy, int(document.decode(told)["url"].rpartition(":")[2])


def start_agents(folder: Path, load: Load, port: int) -> subprocess.Popen[str]:
    """Start the agents."""
    certificate = str(folder / "ca" / "traceproof-ca-cert.pem")
    return child(load, role="agents", port=port, ca=certificate, prefix=f"{folder.name}-")


def child(load: Load, **what: Any) -> subprocess.Popen[str]:
    """Start a part of the soak beside us."""
    options = [f"--{name}={value}" for name, value in load._asdict().items()]
    return subprocess.Popen(
        [sys.executable, __file__, "--part", json.dumps(what), *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
    )


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


# --- watching -------------------------------------------------------------------------------------


def watch(pid: int, port: int, seconds: float) -> list[Look]:
    """Look at the proxy every second."""
    began = time.monotonic()
    looks = []
    while time.monotonic() - began < seconds:
        time.sleep(EVERY)
        with _DIRECT.open(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
            figures = {name.decode(): float(value) for name, value in _FIGURE.findall(page.read())}
        status = Path(f"/proc/{pid}/status").read_text()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        looks.append(
            Look(
                time.monotonic() - began,
                int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000,
                figures["lag_seconds"],
                figures["lag_bytes"],
                figures["streams_live"],
                figures["sessions_open"],
                (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
                int(re.findall(r"Threads:\s+(\d+)", status)[0]),
            )
        )
    return looks


def look_up(folder: Path) -> Found:
    """Read every trace, and return the calls that are in them."""
    paths = Store(folder).paths()
    found = Found(set(), {}, set(), [path for path in paths if not path.stat().st_size])
    for path in paths:
        if path in found.empty:
            continue
        with TraceReader.open(path) as reader:
            for record in reader.records():
                attributes = record.span.attributes
                if attributes.get(semconv.OPERATION_NAME) != "chat":
                    continue
                headers = dict(json.loads(str(attributes[semconv.REQUEST_HEADERS])))
                call = str(headers["X-Call"])
                if record.pending:
                    found.pending.add(call)
                elif attributes[semconv.CALL_STATE] == "complete" and (
                    attributes.get(semconv.RESPONSE_ID) == f"msg_{call}"
                ):
                    found.complete.add(call)
                else:
                    found.other[call] = str(attributes[semconv.CALL_STATE])
    return found


# --- telling --------------------------------------------------------------------------------------


def spread(values: Iterator[float]) -> dict[str, float]:
    """Return the median, the highest but one percent, and the highest."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {
        "median": round(statistics.median(ordered), 3),
        "p99": round(high, 3),
        "most": round(ordered[-1], 3),
    }


def along(looks: list[Look], name: str) -> list[float]:
    """Return ten values over the time."""
    step = max(len(looks) // 10, 1)
    return [round(getattr(look, name), 1) for look in looks[::step]]


def slope(looks: list[Look]) -> float:
    """Return how fast memory grows, MB a minute, by least squares."""
    if len(looks) < 3:
        return 0.0
    line = statistics.linear_regression(
        [look.at for look in looks], [look.memory for look in looks]
    )
    return 60 * line.slope


def text(report: dict[str, Any]) -> str:
    """Return the report to read."""
    lines = []
    for title, figures in report.items():
        lines += [title, *(f"  {name:<28}{value}" for name, value in figures.items()), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
