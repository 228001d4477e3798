"""`traceproof replay`: the steps of a session, run again in a sandbox and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.exits import NO
from traceproof.verifying.asked import SandboxName


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(replay)


def replay(
    trace: TraceArgument,
    *,
    sandbox: Annotated[
        SandboxName,
        typer.Option("--sandbox", help="Where to run; auto: docker if an engine answers."),
    ] = "auto",
    allow_network: Annotated[
        bool,
        typer.Option(
            "--allow-network",
            help="Give the box a network, and run the steps that need one; else they are skipped.",
        ),
    ] = False,
    repository: Annotated[
        str,
        typer.Option(
            "--repository",
            "--repo",
            metavar="URL_OR_PATH",
            help="A clone that has the commit the recording began with; "
            "default: the folder that was recorded, else the current one.",
        ),
    ] = "",
    steps: Annotated[
        str,
        typer.Option(
            "--steps",
            metavar="A-B",
            help="Replay these alone; the workspace begins as it was recorded before the first.",
        ),
    ] = "",
    image: Annotated[
        str,
        typer.Option("--image", metavar="IMAGE", help="The image to build on, best by its digest."),
    ] = "",
    dockerfile: Annotated[
        str,
        typer.Option(
            "--dockerfile", metavar="PATH", help="A Dockerfile in the repository to build instead."
        ),
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Show all that differs in every step, and every rule.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Run a session's commands again in a sandbox, apply its edits, and compare step by step.

    Exits with 0 if every step that could be replayed is the same or differs in nothing but what
    rules name (times, process ids, …), with 1 if one differs, if none could be replayed, or if
    more than half of the output was left to the rules.
    """
    from traceproof.replaying import course  # noqa: PLC0415 - it is slow to import
    from traceproof.replaying.telling import Teller, show  # noqa: PLC0415

    asked = course.Asked(
        trace=locate(store).find(trace),
        repository=repository,
        here=Path.cwd(),
        sandbox=sandbox,
        image=image,
        dockerfile=dockerfile,
        network=allow_network,
        steps=course.steps_of(steps),
    )
    report = course.replay(asked, Teller())
    if as_json:
        print_json(report)
    else:
        show(report, render.console(), full=full)
    if not report.is_yes:
        raise typer.Exit(NO)
