"""Write docs/commands.md from the command line itself, or with --check say whether it is current.

It reads typer's command tree, not the output of --help: the page does not depend on a terminal.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """\
# Commands

Written by `make docs` from the command line itself; `make check` fails when it is out of date.
"""


def walk(command: Any, name: str, parent: Any = None) -> Iterator[tuple[Any, Any]]:
    """Yield each visible command with its context, a group before its members."""
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    yield command, context
    for inner_name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from walk(inner, inner_name, context)


def parameter_line(parameter: Any, context: Any) -> str | None:
    """Describe a parameter as --help does, in one list item; None for a hidden one and --help."""
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    # Rich markup needs the backslash before a bracket, Markdown does not.
    words, text = record[0], record[1].replace("\\[", "[")
    return f"- `{words}`: {' '.join(text.split())}"


def section(command: Any, context: Any) -> Iterator[str]:
    """Yield the lines of one command."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"\n## {context.command_path}\n"
    yield f"    {usage}\n"
    yield inspect.cleandoc((command.help or "").split("\f")[0].replace("\b", ""))
    lines = [parameter_line(p, context) for p in command.get_params(context)]
    yield from ["", *filter(None, lines)] if any(lines) else []


def page(app: typer.Typer) -> str:
    """Write the whole page."""
    found = walk(typer.main.get_command(app), "traceproof")
    lines = [line for command, context in found for line in section(command, context)]
    return HEAD + "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if not current")
    check = parser.parse_args().check
    wanted = page(importlib.import_module("traceproof.cli").app)
    if check and (not PAGE.exists() or PAGE.read_text() != wanted):
        print("docs/commands.md is out of date: run `make docs`", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
