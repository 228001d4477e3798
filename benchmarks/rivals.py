"""traceproof beside claude-tap, bare mitmdump and no proxy at all, in one run.

Client, upstream and proxy are processes of their own. An upstream streams 200 chunks, each sent by
itself; the client resends a conversation with something new at its end. Rounds alternate between
the ways, since a shared machine's noise comes and goes; figures are medians of rounds. traceproof
records in full, claude-tap as it comes; both must have every call on record at the end.

claude-tap (the release in rivals.txt) is installed into an environment of its own at first.

    python benchmarks/rivals.py
    python benchmarks/rivals.py --rounds 7 --modes reverse,forward --markdown
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out

from benchmarks import _rival_storage as storage
from benchmarks import _ways as ways
from benchmarks._load import NAME, Load, Where, put, serve
from benchmarks._processes import child, cpu_seconds, first_line, run_child
from benchmarks._traffic import CHUNKS
from benchmarks._ways import FORWARD, REVERSE, Site, Way
from benchmarks.relay import prepare

LOADS = (
    Load(1, 500, 40),
    Load(1, 200_000, 40),
    Load(20, 500, 200),
    Load(20, 200_000, 200),
    Load(20, 500, 60, pause=0.002),
)
OPEN = (ways.direct, ways.mitmdump, ways.claude_tap, ways.traceproof)
_REST = 0.3
"""Seconds without work after which a proxy has nothing left to do."""

SCRIPT = str(Path(__file__).resolve())


class Figures(NamedTuple):
    """What one round of a load gave; milliseconds, but for streams a second."""

    latency: float
    first_byte: float
    rate: float
    cpu: float


TITLES = ("p50, ms", "first byte, ms", "streams/s", "proxy's CPU a stream, ms")
Rows = dict[str, list[Figures]]


def main() -> None:
    """Run the benchmark, or the part of it that a child process is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--modes", default=f"{REVERSE},{FORWARD}")
    parser.add_argument("--turns", type=int, default=50, help="of the stored conversation; 0: none")
    parser.add_argument("--markdown", action="store_true", help="print tables to paste")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part(json.loads(options.part))
        return
    for mode in filter(None, options.modes.split(",")):
        rows = compare(mode, options.rounds)
        print(markdown(mode, rows) if options.markdown else table(mode, rows), flush=True)
    if options.turns:
        found = storage.measure(options.turns)
        print(storage.markdown(options.turns, found))


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def part(what: dict[str, Any]) -> None:
    """Be one of the processes."""
    match what.pop("role"):
        case "upstream":
            asyncio.run(serve(Path(what["folder"])))
        case "client":
            print(json.dumps(asyncio.run(put(Where(*what["where"]), Load(*what["load"])))))
        case "traceproof":
            folder, trace = Path(what["folder"]), Path(what["trace"])
            ways.run_traceproof(folder, what["mode"], what["origin"], trace)


# The run


def compare(mode: str, rounds: int) -> Rows:
    """Put every load on every way, round by round; return medians."""
    found: list[Rows] = []
    with _folder() as folder, upstream(folder, mode) as site, contextlib.ExitStack() as stack:
        opened = [stack.enter_context(way(site)) for way in OPEN]
        found += [_round(opened, number) for number in range(rounds)]
        calls = rounds * sum(load.streams + load.at_once for load in LOADS)
        proofs = [(way, way.recorded) for way in opened if way.recorded]
        stack.close()
        _check(proofs, calls)
    return {
        way.name: [_median([one[way.name][n] for one in found]) for n in range(len(LOADS))]
        for way in opened
    }


@contextlib.contextmanager
def upstream(folder: Path, mode: str) -> Iterator[Site]:
    """Start the upstream."""
    prepare(folder, NAME)
    with child(SCRIPT, role="upstream", folder=str(folder)) as process:
        plain, secure = first_line(process)
        yield Site(folder, mode, plain, secure)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="traceproof-rivals-") as folder:
        yield Path(folder)


def _round(opened: Sequence[Way], number: int) -> Rows:
    """Put each load on each way, beginning with another one each time."""
    first = number % len(opened)
    found: Rows = {way.name: [] for way in opened}
    for load in LOADS:
        for way in [*opened[first:], *opened[:first]]:
            found[way.name].append(_measure(way, load))
    return found


def _measure(way: Way, load: Load) -> Figures:
    before = cpu_seconds(way.process)
    times = run_child(SCRIPT, role="client", where=way.where, load=load)
    streams = len(times["times"])
    spent = _at_rest(way.process) - before
    return Figures(
        latency=1000 * statistics.median(total for _, total in times["times"]),
        first_byte=1000 * statistics.median(first for first, _ in times["times"]),
        rate=streams / times["elapsed"],
        cpu=1000 * spent / (streams + load.at_once),
    )


def _at_rest(process: int | None) -> float:
    """Return a process's CPU time once it has done what it put off."""
    used, before = cpu_seconds(process), -1.0
    while used > before:
        time.sleep(_REST if process else 0)
        used, before = cpu_seconds(process), used
    return used


def _check(proofs: Sequence[tuple[Way, Callable[[], int]]], calls: int) -> None:
    for way, recorded in proofs:
        if recorded() != calls:
            raise RuntimeError(f"{way.name} has {recorded()} of {calls} calls on record")


def _median(rounds: list[Figures]) -> Figures:
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))


# The report


def table(mode: str, rows: Rows) -> str:
    """Return the figures to read, each beside the ratios to direct and to claude-tap."""
    lines = [f"{mode}: streams of {CHUNKS} chunks; (ratio to direct, to claude-tap)"]
    for number, load in enumerate(LOADS):
        lines += ["", f"{load}", f"{'':<12}" + "".join(f"{title:>28}" for title in TITLES)]
        for name, cells in _cells(rows, number):
            lines.append(f"  {name:<10}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)


def markdown(mode: str, rows: Rows) -> str:
    """Return the same as a table to paste, with the command."""
    lines = [
        f"```sh\npython -P benchmarks/rivals.py --modes {mode} --markdown\n```",
        "",
        f"| load | way | {' | '.join(TITLES)} |",
        f"|---|---|{'---|' * len(TITLES)}",
    ]
    for number, load in enumerate(LOADS):
        for name, cells in _cells(rows, number):
            shown = str(load) if name == "direct" else ""
            bold = f"**{name}**" if name == "traceproof" else name
            lines.append(f"| {shown} | {bold} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cells(rows: Rows, number: int) -> Iterator[tuple[str, list[str]]]:
    direct, tap = rows["direct"][number], rows["claude-tap"][number]
    for name, figures in rows.items():
        yield (
            name,
            [
                _cell(value, *bases)
                for value, *bases in zip(figures[number], direct, tap, strict=True)
            ],
        )


def _cell(value: float, direct: float, tap: float) -> str:
    if not value:
        return "-"
    shown = f"{value:.0f}" if value >= 100 else f"{value:.1f}"
    ratios = [f"{value / base:.2f}" if base else "-" for base in (direct, tap)]
    return f"{shown} ({ratios[0]}, {ratios[1]})"


if __name__ == "__main__":
    main()
