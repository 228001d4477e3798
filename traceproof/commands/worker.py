"""`traceproof worker`: verify or push the finished traces of a store, as they come."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import click
import typer

from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.commands.quantities import seconds
from traceproof.exits import NO
from traceproof.export.endpoint import resolve
from traceproof.recorder.store import Store
from traceproof.worker import life
from traceproof.worker.running import Manner, Worker
from traceproof.worker.tasks import Push, Task, Verify


class Name(StrEnum):
    """What a worker does."""

    verify = "verify"
    push = "push"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(worker)


def worker(
    context: typer.Context,
    task: Annotated[
        Name, typer.Argument(metavar="verify|push", help="What to do with each trace.")
    ],
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- OPTIONS]", help="Options of that command, for every trace; after a `--`."
        ),
    ] = None,
    *,
    clone_from: Annotated[
        list[str] | None,
        typer.Option(
            "--clone-from",
            metavar="URL",
            help="Where repositories that a trace names may be cloned from: a URL, or its "
            "beginning up to a slash; may be repeated.",
        ),
    ] = None,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often to look when nothing is due.")
    ] = "10s",
    quiet: Annotated[
        str,
        typer.Option(
            "--quiet",
            metavar="TIME",
            help="After how long without a change a trace is finished that nobody closed.",
        ),
    ] = "10m",
    grace: Annotated[
        str,
        typer.Option(
            "--grace", metavar="TIME", help="What the trace under way gets when it is stopped."
        ),
    ] = "60s",
    once: Annotated[bool, typer.Option("--once", help="End when nothing is due.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell whether the worker that runs is well.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Take the finished traces of a store, one at a time, and verify or push each once.

    It runs until SIGTERM or SIGINT; what it has done it knows from the files beside the traces.
    With --check it exits with 1 where the worker is not well, or the environment fails it.
    """
    place = locate(store)
    if check:
        _check(place, task, as_json=as_json)
        return
    more = options or []
    given = _read(context, task, more)
    if task is Name.verify:
        found: Task = Verify(place, more, clone_from or [])
    elif clone_from:
        raise ValueError("--clone-from goes with `worker verify`")
    else:
        endpoint = resolve(given["endpoint"], given["header"] or (), os.environ)
        found = Push(place, endpoint, more)
    manner = Manner(
        every=seconds(every, "--every", 0.1),
        quiet=seconds(quiet, "--quiet"),
        grace=seconds(grace, "--grace"),
        once=once,
    )
    done = Worker(found, place, manner, _say)
    code = done.run()
    if as_json:
        print_json(done.life)
    raise typer.Exit(code)


def _read(context: typer.Context, task: Name, options: list[str]) -> dict[str, Any]:
    """Read the options of the command that is run for each trace.

    Raises:
        click.UsageError: one of them is not known, or has no value.
    """
    group = context.find_root().command
    if not isinstance(group, click.Group):
        raise TypeError("the command line is a group of commands")
    words = [*options, "--", "TRACE"]
    return group.commands[task].make_context(f"traceproof {task}", words).params


def _check(store: Store, task: Name, *, as_json: bool) -> None:
    found: life.Life | None = None
    with suppress(FileNotFoundError):
        found = life.read(store, task)
    problem = life.complaint(found, time.time()) if found else "no worker runs"
    if as_json:
        print_json({"well": not problem, "problem": problem, "worker": found})
    elif problem:
        _say(f"{task}: {problem}")
    if problem:
        raise typer.Exit(NO)


def _say(line: str) -> None:
    """Tell whoever runs it; that nobody listens any more changes nothing."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    with suppress(OSError):
        print(f"traceproof: {text}", file=sys.stderr, flush=True)
