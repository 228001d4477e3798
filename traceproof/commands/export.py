"""`traceproof export`: traces as files of another format."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.export import formats
from traceproof.export.files import STDOUT, written
from traceproof.export.formats import FORMATS, Format
from traceproof.export.progress import Progress
from traceproof.export.whole import Wanted
from traceproof.recorder.conventions import VERSIONS
from traceproof.recorder.reader import TraceReader

LIST = "list"


class Semconv(StrEnum):
    """A version of the GenAI conventions."""

    pinned = "1.41.1"
    genai = "1.42.0-dev"


SemconvOption = Annotated[
    Semconv, typer.Option("--semconv", help="The version of the GenAI conventions to speak.")
]
TracesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TRACE…", help="Files, ids of traces or their beginnings; default: `last`."
    ),
]


class Exported(msgspec.Struct):
    """What was written; `bytes` before compression, `problems` what could not be read."""

    output: str
    format: str
    traces: list[str]
    records: int = 0
    bytes: int = 0
    problems: list[str] = []


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(export)


def export(
    traces: TracesArgument = None,
    *,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The format; `list` names them all.")
    ] = "otlp",
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to; `-` is stdout, names in .zst and .gz are compressed.",
        ),
    ] = STDOUT,
    semconv: SemconvOption = Semconv.pinned,
    bodies: Annotated[
        bool, typer.Option(help="With the raw bytes of requests and responses.")
    ] = True,
    agent_spans: Annotated[
        bool, typer.Option(help="With the spans that the agent sent of itself.")
    ] = True,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Write traces in another format, whole: what a trace file refers to stands in each record.

    The file appears when all of it is written; if that fails, there is none.
    """
    if format_name == LIST:
        _list_formats(as_json=as_json)
        return
    known = formats.find(format_name)
    if as_json and output == STDOUT:
        raise ValueError("--json prints a summary on stdout: name a file with --output")
    place = locate(store)
    paths = [place.find(name) for name in traces or ["last"]]
    _refuse_to_overwrite(paths, output)
    wanted = Wanted(VERSIONS[semconv.value], bodies=bodies, agent_spans=agent_spans)
    done = Exported(output, known.name, [str(path) for path in paths])
    _export(paths, known, wanted, done)
    for problem in done.problems:
        print(f"traceproof: {render.clean(problem)}", file=sys.stderr)
    if as_json:
        print_json(done)


def _list_formats(*, as_json: bool) -> None:
    if as_json:
        print_json([{"name": known.name, "summary": known.summary} for known in FORMATS.values()])
        return
    for known in FORMATS.values():
        print(f"{known.name}\t{known.summary}")


def _refuse_to_overwrite(paths: list[Path], output: str) -> None:
    if output != STDOUT and Path(output).resolve() in [path.resolve() for path in paths]:
        raise ValueError(f"--output {output} is one of the traces: name another file")


def _export(paths: list[Path], known: Format, wanted: Wanted, done: Exported) -> None:
    with Progress() as progress, written(done.output) as file:
        for path in paths:
            with TraceReader.open(path) as reader:
                for line in known.lines(reader, wanted):
                    file.write(line)
                    done.records += 1
                    done.bytes += len(line)
                    progress.say(f"{path.name}: {done.records:,} records, {done.bytes:,} bytes")
                done.problems += [f"{path}: {problem}" for problem in reader.problems]
