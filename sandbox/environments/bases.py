"""The image that an environment starts from: a named one, a Dockerfile's, or the default."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from traceproof.sandbox.environments import cache, dockerfile, images
from traceproof.sandbox.environments.dates import settled
from traceproof.sandbox.environments.images import Found
from traceproof.sandbox.environments.recipe import Recipe
from traceproof.sandbox.environments.request import Request
from traceproof.sandbox.environments.versions import satisfies
from traceproof.sandbox.errors import ImageFailed, SandboxError, SandboxUnavailable

_MINORS: Final = range(8, 14)
_DAY: Final = 24 * 3600


def find(client: Any, request: Request, tree: str, made: list[str]) -> Found:
    """Return the image to start from.

    Args:
        client: docker-py's.
        request: what is being built.
        tree: the digest of the folder's content.
        made: takes the layers that had to be built.

    Raises:
        ImageFailed: there is none.
    """
    base = request.recipe.base
    if base.image:
        return images.named(client, base.image, request.say)
    if base.dockerfile:
        return dockerfile.built(client, request, tree, made)
    return _default(client, request.recipe, request.say)


def official(requires: str, date: str) -> str:
    """Return the name of the official image: the newest Python that fits the project and its date.

    Raises:
        ImageFailed: there is none for what the project requires.
    """
    fitting = [(3, minor) for minor in _MINORS if satisfies((3, minor), requires)]
    if not fitting:
        raise ImageFailed(f"no Python from 3.8 to 3.13 is {requires}; name an image with `--image`")
    known = [each for each in fitting if not date or settled(each) <= date[:10]]
    chosen = known[-1] if known else fitting[0]
    return "python:{}.{}-bookworm".format(*chosen)


def _default(client: Any, recipe: Recipe, say: Callable[[str], None]) -> Found:
    if recipe.node and not recipe.python:
        name = "node:22-bookworm"
    else:
        name = official(recipe.python.requires if recipe.python else "", recipe.date)
    there = images.look(client, name)
    if there:
        return there
    ours = images.debian(client)
    if ours and _silent_lately():
        return ours
    return _fetched(client, name, say) if ours is None else _fetched_or(client, name, say, ours)


def _fetched(client: Any, name: str, say: Callable[[str], None]) -> Found:
    try:
        return images.named(client, name, say)
    except SandboxUnavailable:
        raise
    except SandboxError as error:
        raise ImageFailed(
            "there is no base image: make one of Debian packages with `traceproof sandbox base`, "
            f"or name one with `--image` ({error})"
        ) from error


def _fetched_or(client: Any, name: str, say: Callable[[str], None], ours: Found) -> Found:
    try:
        return images.named(client, name, say)
    except SandboxUnavailable:
        raise
    except SandboxError as error:
        say(f"{ours.reference} is the base: {error}")
        _silence().touch(mode=0o600)
        return ours


def _silence() -> Path:
    return cache.folder() / "no-registry"


def _silent_lately() -> bool:
    """Say whether no registry answered within the last day; asking takes its time."""
    try:
        return time.time() - _silence().stat().st_mtime < _DAY
    except FileNotFoundError:
        return False
