"""Options and small helpers that several commands share."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from traceproof.recorder.store import Store
from traceproof.recorder.sweep import sweep
from traceproof.replay import plainjson

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="The store; default: TRACEPROOF_STORE, else .traceproof in the project.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
TraceArgument = Annotated[
    str,
    typer.Argument(metavar="TRACE", help="A file, the id of a trace or its beginning, or `last`."),
]


def locate(store: Path | None) -> Store:
    """Return the store that a command works on; what killed recordings left to do is done."""
    environment = dict(os.environ)
    if store is not None:
        environment["TRACEPROOF_STORE"] = str(store)
    place = Store.locate(environment, Path.cwd())
    with suppress(OSError):  # a store that cannot be written can still be read
        sweep(place)
    return place


def print_json(document: Any) -> None:
    """Print one document, indented, on stdout."""
    sys.stdout.buffer.write(plainjson.encode(document))
    sys.stdout.buffer.flush()


def load_recording(module: str = "traceproof.recording") -> ModuleType:
    """Import what records; other commands do without, since mitmproxy takes long to import.

    Raises:
        ImportError: something is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "traceproof":
            raise
        raise ImportError(f"recording needs {missing}: pip install 'traceproof[proxy]'") from error
