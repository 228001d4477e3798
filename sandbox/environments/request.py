"""One build that was asked for, as it is handed from module to module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from traceproof.sandbox.environments.lock import Lock
from traceproof.sandbox.environments.recipe import Recipe, Source


class Request(NamedTuple):
    """What is to be built, and how."""

    recipe: Recipe
    source: Source
    lock: Lock | None
    """An earlier environment's, whose packages are taken."""
    say: Callable[[str], None]
    """Told what is being done."""
    uv: Path | None
    seconds: float
    """The time that each step may take."""
