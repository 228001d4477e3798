"""Run the command line, and turn what goes wrong into one clear line and the right exit code."""

from __future__ import annotations

import os
import sys

import click

from traceproof.exits import ENVIRONMENT, USAGE


def main() -> None:
    """Run a command and exit with its code; see `traceproof.exits`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments` and return the exit code."""
    from traceproof.cli import command  # noqa: PLC0415 - so that an import error is caught here too

    try:
        return int(command().main(arguments, "traceproof", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        return _say(error, USAGE)
    except (OSError, ImportError) as error:
        return _say(error, ENVIRONMENT)
    except (ValueError, LookupError) as error:
        return _say(error, USAGE)


def _say(error: Exception, code: int) -> int:
    """Print an error as one line; its traceback too, when TRACEPROOF_DEBUG is set."""
    if os.environ.get("TRACEPROOF_DEBUG"):
        raise error
    print(f"traceproof: {_line(error)}", file=sys.stderr)
    return code


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{where}{error.strerror}"
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split()) or type(error).__name__


if __name__ == "__main__":
    main()
