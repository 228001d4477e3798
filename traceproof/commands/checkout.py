"""`traceproof checkout`: the workspace as it was after any step of a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from traceproof import render
from traceproof.checkout import Result, check, write
from traceproof.commands.options import JsonOption, StoreOption, TraceArgument, locate, print_json
from traceproof.exits import NO
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.workspace.objects import Objects
from traceproof.workspaces import Source, Step, Workspaces, find_clone

_SHOWN = 20
_HASH = 12


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(checkout)


def checkout(
    trace: TraceArgument,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to; it is made, or empty.")
    ] = None,
    *,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", metavar="N", help="After which step; 0 is the start. [default: the last]"
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the steps that changed the workspace, and stop.")
    ] = False,
    repository: Annotated[
        Path | None,
        typer.Option(
            "--repository",
            metavar="PATH",
            help="A clone that has the commit the recording began with; "
            "default: the folder that was recorded, else the current one.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that is not empty.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Rebuild the workspace of any step, and compare its tree hash with the recorded one.

    Exits with 1 if they differ.
    """
    with TraceReader.open(locate(store).find(trace)) as reader:
        workspaces = Workspaces(reader)
        if listed:
            _show_steps(workspaces, as_json=as_json)
            return
        if folder is None:
            raise ValueError("which folder? `traceproof checkout TRACE DIR`, or --list")
        wanted = workspaces.step(step)
        result = _rebuild(workspaces, wanted, folder, repository, force=force)
    if as_json:
        print_json(_document(reader.path, folder, wanted, result))
    else:
        _tell(folder, wanted, result)
    if result.tree != wanted.tree_after:
        raise typer.Exit(NO)


def _rebuild(
    workspaces: Workspaces, step: Step, folder: Path, repository: Path | None, *, force: bool
) -> Result:
    clone = find_clone(workspaces, repository, Path.cwd())
    tree = workspaces.tree(step, clone.leaves)
    with Objects(clone.git, workspaces.algorithm) as objects:
        write(tree, folder, Source(workspaces, objects), force=force)
    return check(tree, folder)


def _document(path: Path, folder: Path, step: Step, result: Result) -> dict[str, object]:
    return {
        "trace": str(path),
        "folder": str(folder),
        "step": step.number,
        "tree": result.tree,
        "recorded": step.tree_after,
        "equal": result.tree == step.tree_after,
        "files": result.files,
        "wrong": [render.clean(path) for path in result.wrong],
        "submodules": [render.clean(path) for path in result.submodules],
    }


def _tell(folder: Path, step: Step, result: Result) -> None:
    console = render.console()
    equal = result.tree == step.tree_after
    console.print(f"{folder}: step {step.number}, {result.files} files, tree {result.tree}")
    if not equal:
        console.print(f"recorded was {step.tree_after}; what differs:")
        for path in result.wrong[:_SHOWN]:
            console.print(f"  {render.clean(path)}")
        if len(result.wrong) > _SHOWN:
            console.print(f"  and {len(result.wrong) - _SHOWN} more")
    for path in result.submodules:
        console.print(f"submodule, left empty: {render.clean(path)}")


def _show_steps(workspaces: Workspaces, *, as_json: bool) -> None:
    if as_json:
        print_json({"trace": str(workspaces.reader.path), "steps": workspaces.steps})
        return
    table = Table(box=None, pad_edge=False)
    for title in ("step", "cause", "by", "tree", "files", ""):
        table.add_column(title, justify="right" if title in ("step", "files") else "left")
    for step in workspaces.steps:
        shown = ", ".join(step.paths[:3]) + (", …" if step.files > len(step.paths[:3]) else "")
        table.add_row(
            str(step.number), step.cause, render.clean(step.name), step.tree_after[:_HASH],
            str(step.files), render.clean(shown),
        )  # fmt: skip
    render.console().print(table)
