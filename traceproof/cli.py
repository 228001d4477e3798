"""The command line, put together from `traceproof.commands`, one file a command."""

from __future__ import annotations

from typing import Annotated

import click
import typer

from traceproof.commands import (
    checkout,
    consent,
    demo,
    doctor,
    export,
    facts,
    import_,
    ls,
    proxy,
    push,
    raw,
    record,
    repair,
    replay,
    sandbox,
    show,
    verify,
    worker,
)
from traceproof.version import __version__

app = typer.Typer(
    name="traceproof",
    help="Record coding agents at work, and look at what they did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (
    *(demo, record, proxy, consent, import_, ls, show, facts, raw, checkout, repair),
    *(replay, verify),
    *(export, push, worker, sandbox, doctor),
):
    module.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"traceproof {__version__}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Record coding agents at work, and look at what they did."""


def command() -> click.Command:
    """Return the click command behind the app, for running and for checking the docs."""
    return typer.main.get_command(app)
