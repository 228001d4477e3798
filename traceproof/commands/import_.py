"""`traceproof import`: transcripts that agents have left, made into traces."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.exits import ENVIRONMENT, USAGE
from traceproof.export.progress import Progress
from traceproof.imports import sources
from traceproof.imports.importing import Imported, Importer
from traceproof.recorder import secrets
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor

FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Transcripts; of a session with sub-agents, its own."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("import")(import_)


def import_(
    files: FilesArgument,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="NAME",
            help=f"The format, where the content does not tell: {', '.join(sources.SOURCES)}.",
        ),
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Import what has been imported before, as a new trace.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Make traces of transcripts: of Claude Code, Codex, mini-swe-agent, SWE-agent, or in ATIF.

    A trace of a transcript says so, and names what the transcript lacks. Whatever looks like a
    credential is masked. What cannot be made sense of is counted and left out.
    """
    done: list[Imported] = []
    codes: list[int] = []
    with Progress() as progress:
        importer = Importer(locate(store), _redactor(os.environ), progress.say)
        for path in _sessions(files):
            try:
                done.append(importer.run(path, source, again=again))
            except (OSError, ValueError) as error:
                if len(files) == 1:
                    raise
                codes.append(_complain(path, error))
    if as_json:
        print_json(done)
    else:
        render.console().print("\n".join(map(_line, done)), soft_wrap=True, markup=False)
    if codes:
        raise typer.Exit(max(codes))


def _sessions(files: list[Path]) -> list[Path]:
    """Leave out the files of sub-agents whose session is among the files: they go with it."""
    given = {_resolved(path) for path in files}
    return [path for path in files if sources.session_of(_resolved(path)) not in given]


def _resolved(path: Path) -> Path:
    """Follow links; of those that lead in a circle, opening it says so."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _redactor(environment: Mapping[str, str]) -> Redactor:
    redactor = Redactor(PATTERNS)
    redactor.add_all(secrets.from_environment(environment))
    return redactor


def _complain(path: Path, error: Exception) -> int:
    """Say what was wrong with one of several files, and go on."""
    wrong = isinstance(error, (ValueError, FileNotFoundError, IsADirectoryError))
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = why if why.startswith(f"{path}: ") else f"{path}: {why}"
    print(f"traceproof: {render.clean(line)}", file=sys.stderr)
    return USAGE if wrong else ENVIRONMENT


def _line(done: Imported) -> str:
    name = Path(done.trace).name
    if done.known:
        return f"{done.file}: imported before, as {name} (--again imports it anew)"
    counts = [f"{done.prompts} prompts", f"{done.calls} model calls"]
    counts += [f"{done.tool_calls} tool calls"]
    counts += [f"{done.agents - 1} sub-agents"] if done.agents > 1 else []
    lines = [f"{done.file}: {done.source}, {', '.join(counts)} → {name}"]
    lines.append(f"  not in it: {', '.join(done.missing)}")
    lines += [f"  {problem}" for problem in done.problems]
    return render.clean("\n".join(lines))
