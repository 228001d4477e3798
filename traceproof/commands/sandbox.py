"""`traceproof sandbox`: what sandboxes are made from, and what a crash left of them."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from traceproof import render
from traceproof.commands.options import JsonOption, print_json
from traceproof.exits import ENVIRONMENT
from traceproof.sandbox.docker.client import connect, expected
from traceproof.sandbox.docker.prune import Pruned
from traceproof.sandbox.docker.prune import prune as prune_engine
from traceproof.sandbox.environments import cache, debian
from traceproof.sandbox.errors import SandboxUnavailable
from traceproof.sandbox.local.prune import prune as prune_boxes
from traceproof.verifying.scratch import prune as prune_scratch

_GROUP = typer.Typer(
    name="sandbox",
    help="What sandboxes are made from, and what a crash left of them.",
    no_args_is_help=True,
)


class Report(msgspec.Struct):
    """What `sandbox prune --json` prints; `engine` says why none was asked, or is empty."""

    engine: str
    removed: Pruned
    folders: list[str]
    """Local boxes, and what runs that were killed had in the temporary folder."""


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _GROUP.command()(base)
    _GROUP.command()(prune)
    app.add_typer(_GROUP)


def base(
    suite: Annotated[str, typer.Argument(help="bookworm or trixie.")] = debian.SUITES[0],
    *,
    packages: Annotated[
        list[str] | None,
        typer.Option("--package", help="A Debian package more (nodejs, say); may be repeated."),
    ] = None,
    mirror: Annotated[
        str, typer.Option(help="Where Debian's packages are; else debootstrap's own.")
    ] = "",
    again: Annotated[bool, typer.Option(help="Make it anew, even if it is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a base image of Debian packages, for where no registry of images answers.

    As root, with debootstrap; some minutes. What is built without naming an image starts from it
    where the official Python image cannot be fetched.
    """
    client = connect()
    try:
        made = debian.base(
            client, suite, packages=packages or (), mirror=mirror, again=again, say=_say
        )
    finally:
        client.close()
    if as_json:
        print_json(made)
    else:
        print(f"{'made' if made.made else 'there is'} {made.reference} ({made.image})")


def _say(line: str) -> None:
    print(render.clean(line), file=sys.stderr)


def prune(
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="What is in use, and images kept as caches, too."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what crashed runs left behind: containers, networks, volumes, images, folders.

    Only what carries traceproof's label is touched; without --all, only what belongs to a
    process that has ended.
    """
    found = [*prune_boxes(everything=everything), *cache.prune(everything=everything)]
    folders = [str(path) for path in found]
    folders += [said.removeprefix("folder ") for said in prune_scratch()]
    report = Report(*_ask_engine(everything=everything), folders)
    if as_json:
        print_json(report)
    else:
        for line in _lines(report):
            print(render.clean(line))
    if report.engine and expected():
        raise typer.Exit(ENVIRONMENT)


def _ask_engine(*, everything: bool) -> tuple[str, Pruned]:
    try:
        client = connect()
    except SandboxUnavailable as error:
        return str(error), Pruned()
    try:
        return "", prune_engine(client, everything=everything)
    finally:
        client.close()


def _lines(report: Report) -> list[str]:
    removed = report.removed
    kinds = {
        "container": removed.containers,
        "network": removed.networks,
        "volume": removed.volumes,
        "image": removed.images,
        "folder": report.folders,
    }
    lines = [f"removed {kind} {name}" for kind, names in kinds.items() for name in names]
    if not lines:
        lines.append("nothing was left behind")
    if report.engine:
        lines.append(f"no engine was asked: {report.engine}")
    if removed.left:
        lines.append(f"left {removed.left} containers, in use; --all removes them, too")
    return lines
