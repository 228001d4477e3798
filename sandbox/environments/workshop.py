"""Where an environment is being built: what both kinds of places offer to the steps of a build.

`container` and `folder` are the two there are. A step that fails ends the build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from traceproof.sandbox.errors import ImageFailed, OutOfRoom

_FULL = ("No space left on device", "os error 28")
_LOG = 100
_ERRORS = ("error:", "Error:", "ERROR:", "E:")
_CAUSE = "cause: "


class Unreachable(ImageFailed):
    """The package index does not answer: another choice of versions would not help."""


class Done(NamedTuple):
    """How a step ended."""

    exit_code: int
    stdout: str
    output: str
    """The end of both stdout and stderr."""


class Workshop(Protocol):
    """A place with a file system and a network, where commands are run as its root or its owner."""

    uv: str
    """The path of uv there; empty where there is none."""
    workspace: str
    venv: str
    scratch: str
    """A folder for what the steps need; it is not kept."""

    def attempt(
        self, argv: Sequence[str], *, cwd: str = "", environment: Mapping[str, str] = {}
    ) -> Done:
        """Run a command to its end.

        Raises:
            SandboxError: the place itself failed, or the time is over.
        """

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Make a file, and the folders above it."""


def must(
    shop: Workshop,
    argv: Sequence[str],
    failure: str,
    *,
    cwd: str = "",
    environment: Mapping[str, str] = {},
) -> str:
    """Run a step that has to succeed, and return its stdout.

    Args:
        shop: where.
        argv: the command.
        cwd: in which folder.
        environment: what is added to its environment.
        failure: what to say if it does not, without the end of the sentence.

    Raises:
        ImageFailed: it failed; the error has the end of the log.
        OutOfRoom: it failed since the disk is full.
    """
    done = shop.attempt(argv, cwd=cwd, environment=environment)
    if done.exit_code:
        raise failed(failure, done)
    return done.stdout


def failed(failure: str, done: Done) -> ImageFailed | OutOfRoom:
    """Return the error for a step that failed."""
    log = "\n".join(done.output.splitlines()[-_LOG:])
    if any(sign in log for sign in _FULL):
        return OutOfRoom(f"{failure}: the disk is full; make room (`traceproof sandbox prune`)")
    return ImageFailed(f"{failure} (exit code {done.exit_code}): {last_line(done.output)}", log)


def last_line(output: str) -> str:
    """Return what of an output says most about why it failed, in one line, at most 300 characters.

    Args:
        output: uv's has `error:` and `cause:`, and a build's own end below `[stderr]`.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(_ERRORS)]
    if not errors:
        return (lines or ["it printed nothing"])[-1][:300]
    causes = [line.removeprefix(_CAUSE) for line in lines if line.startswith(_CAUSE)]
    own_end = lines[-1:] if "[stderr]" in lines else []
    return ": ".join([errors[0].partition(":")[2].strip(), *causes[:1], *own_end])[:300]
