"""Which sandbox to use: containers where an engine answers, else this machine's own processes.

It starts no box and no engine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from traceproof.sandbox.docker import client
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import SandboxUnavailable
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Sandbox

Wanted: TypeAlias = Literal["auto", "docker", "local"]
"""What `--sandbox` takes."""

PATIENCE = 5.0
"""Seconds an engine may take to answer before `auto` goes on without it."""


def choose(
    wanted: str = "auto", *, tell: Callable[[str], None] | None = None, patience: float = PATIENCE
) -> Sandbox:
    """Return the sandbox to use.

    Args:
        wanted: `docker` or `local`; `auto`: the first where an engine answers, else the second.
        tell: is told in one line why `auto` did not give containers.
        patience: seconds an engine may take to answer `auto`.

    Raises:
        SandboxUnavailable: `docker` is wanted, and no engine answers.
        ValueError: none of these is wanted.
    """
    if wanted not in get_args(Wanted):
        raise ValueError(f"no sandbox is called {wanted!r}: choose docker, local or auto")
    if wanted == "docker":
        return DockerSandbox()
    if wanted == "local":
        return LocalSandbox()
    try:
        return _engine(patience)
    except SandboxUnavailable as error:
        if tell is not None:
            tell(f"processes of this machine instead of containers (--sandbox local): {error}")
        return LocalSandbox()


def _engine(patience: float) -> Sandbox:
    if not client.expected():
        raise SandboxUnavailable("there is no Docker engine here")
    answers: list[Sandbox | SandboxUnavailable] = []
    asking = threading.Thread(target=_ask, args=[answers], daemon=True)
    asking.start()
    asking.join(patience)
    found = answers[0] if answers else None
    if found is None:
        raise SandboxUnavailable(f"the Docker engine did not answer in {patience:g} s")
    if isinstance(found, SandboxUnavailable):
        raise found
    return found


def _ask(answers: list[Sandbox | SandboxUnavailable]) -> None:
    try:
        answers.append(DockerSandbox())
    except SandboxUnavailable as error:
        answers.append(error)
