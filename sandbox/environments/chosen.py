"""What was worked out for a tree: the packages, and the rung of dates they were chosen on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from traceproof.sandbox.environments.dates import Rung, ladder
from traceproof.sandbox.environments.facts import Facts
from traceproof.sandbox.environments.install import Interpreter
from traceproof.sandbox.environments.lock import Lock, Package
from traceproof.sandbox.environments.recipe import Recipe
from traceproof.sandbox.environments.workshop import Unreachable
from traceproof.sandbox.errors import ImageFailed

T = TypeVar("T")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Packages, and how they were chosen."""

    packages: tuple[Package, ...]
    dates: Rung = Rung()
    notes: tuple[str, ...] = ()


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What was worked out for a tree on a base."""

    chosen: Chosen
    python: Interpreter | None
    facts: Facts


def from_lock(lock: Lock) -> Chosen:
    """Return what a lock says."""
    return Chosen(packages=lock.packages, dates=lock.dates, notes=lock.notes)


def first_that_works(
    recipe: Recipe, python: Interpreter, attempt: Callable[[Rung], T], say: Callable[[str], None]
) -> T:
    """Try one rung of dates after the other.

    Raises:
        ImageFailed: none works; it is the error of the first, with all logs.
    """
    failures: list[ImageFailed] = []
    for rung in _rungs(recipe, python):
        try:
            return attempt(rung)
        except Unreachable:
            raise
        except ImageFailed as error:
            failures.append(error)
            say(f"another choice of versions is tried: {error}")
    first = failures[0]
    first.log = "\n\n".join(f"{error}\n{error.log}" for error in failures)
    raise first


def _rungs(recipe: Recipe, python: Interpreter) -> Iterator[Rung]:
    locked = bool(recipe.python and recipe.python.constraints)
    yield from ladder(recipe.date, python.minor, locked=locked)
