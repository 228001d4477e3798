"""Run the command line, and turn what goes wrong into one clear line and the right exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

import click

from traceproof.exits import ENVIRONMENT, SIGNAL, USAGE


def main() -> None:
    """Run a command and exit with its code; see `traceproof.exits`."""
    for name in ("stdout", "stderr"):  # None where whoever started us closed it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - for good
        stream = getattr(sys, name)
        if stream.errors == "strict":  # what the terminal's encoding lacks is spelt out
            stream.reconfigure(errors="backslashreplace")
    for descriptor in (1, 2):  # an agent may have left the terminal or pipe it shared with us so
        with suppress(OSError):
            os.set_blocking(descriptor, True)
    try:
        code = run(sys.argv[1:])
    except Exception:  # noqa: BLE001 - a bug of ours is no answer: 1 would say "no"
        with suppress(OSError):
            traceback.print_exc()
        code = ENVIRONMENT
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # known already; Python would try once more at its end, and exit with 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    gc.freeze()  # or Python looks through all that was imported once more: some tenths of a second
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments` and return the exit code."""
    try:
        return _invoke(arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _say(error, USAGE)
    except (click.Abort, KeyboardInterrupt):
        return SIGNAL + signal.SIGINT
    except BrokenPipeError:
        return SIGNAL + signal.SIGPIPE
    except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        return _say(error, USAGE)
    except (OSError, ImportError) as error:
        return _say(error, ENVIRONMENT)
    except (ValueError, LookupError) as error:
        return _say(error, USAGE)


def _invoke(arguments: list[str]) -> int:
    """Run a command; not by click's `main`, which ends the process itself on a broken pipe."""
    from traceproof.cli import command  # noqa: PLC0415 - so that an import error is told as others

    face, code = command(), 0
    try:
        with face.make_context("traceproof", arguments) as context:
            face.invoke(context)
    except click.exceptions.Exit as done:
        code = done.exit_code
    sys.stdout.flush()
    return code


def _say(error: Exception, code: int) -> int:
    """Print an error as one line; its traceback too, when TRACEPROOF_DEBUG is set."""
    if os.environ.get("TRACEPROOF_DEBUG"):
        raise error
    with suppress(OSError):  # nobody listens, or the disk that stderr goes to is full
        line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in _line(error))
        print(f"traceproof: {line}", file=sys.stderr)
    return code


def _line(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename is None and _is_nowhere():
        return "the working directory has been removed: go to one that is there"
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{where}{error.strerror}"
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "traceproof"
        return f"{' '.join(error.format_message().split())} See `{command} --help`."
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split()) or type(error).__name__


def _is_nowhere() -> bool:
    """Tell whether the working directory is gone."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


if __name__ == "__main__":
    main()
