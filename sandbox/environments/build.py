"""Build an environment for a sandbox: the door of this package.

What is built how is in `in_docker` and `in_folder`; the steps they share are in `resolve` and
`install`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from traceproof.sandbox.environments import cache, in_docker, in_folder
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.lock import Lock
from traceproof.sandbox.environments.recipe import Recipe, Source
from traceproof.sandbox.environments.request import Request
from traceproof.sandbox.protocol import Sandbox

SECONDS = 1800.0
"""How long one step of a build may take."""


def build(
    sandbox: Sandbox,
    recipe: Recipe,
    source: Source,
    *,
    lock: Lock | None = None,
    on_progress: Callable[[str], None] | None = None,
    seconds: float = SECONDS,
) -> Environment:
    """Build the environment of a source tree, or find that it was built before.

    Args:
        sandbox: whose boxes it is for.
        recipe: what to build.
        source: the tree.
        lock: an earlier environment's, to build the same packages; default: work them out.
        on_progress: called with what is being done, in words.
        seconds: the time that each step may take.

    Raises:
        ImageFailed: it cannot be built; the error has the end of the log.
        SandboxError: the engine failed, or the disk is full.
        ValueError: the source is not what it is said to be.
    """
    say = on_progress or (lambda _: None)
    request = Request(recipe, source, lock, say, uv(), seconds)
    if sandbox.name == "docker":
        return in_docker.build(getattr(sandbox, "client", None), request)
    return in_folder.build(cache.folder() / "local", request)


def uv() -> Path | None:
    """Return uv's path: the package's, or what is found on `PATH`."""
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - an extra

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        return Path(found) if found else None
