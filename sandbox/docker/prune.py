"""Removing what dead processes left with the engine: found by label, nothing else is touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from traceproof.sandbox import owner
from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.docker.container import remove
from traceproof.sandbox.layout import LABEL, OWNER_LABEL

UNKNOWN_SECONDS = 3600
"""What never ran, or has ended, is left that long to an owner of which nothing can be known."""

_IN_USE = 409
_GONE = 404

Thing = Mapping[str, Any]


class Pruned(msgspec.Struct):
    """What was removed, by name or id."""

    containers: list[str] = msgspec.field(default_factory=list)
    networks: list[str] = msgspec.field(default_factory=list)
    volumes: list[str] = msgspec.field(default_factory=list)
    images: list[str] = msgspec.field(default_factory=list)
    left: int = 0
    """How many containers are somebody's who still runs, or may."""


def prune(client: Any, *, everything: bool = False) -> Pruned:
    """Remove what is labelled as ours and whose owner is dead.

    Args:
        client: docker-py's.
        everything: what living owners use, and tagged images (caches), too.

    Raises:
        SandboxError: the engine failed.
    """
    ours = {"label": [f"{LABEL}=1"]}
    done = Pruned()
    with failures("look for what was left behind"):
        found: list[Thing] = [*filter(_owned, client.containers(all=True, filters=ours))]
        for thing in found:
            if everything or _dead(thing):
                remove(client, thing["Id"])
                done.containers.append(thing["Id"][:12])
        done.left = len(found) - len(done.containers)
        for thing in filter(_owned, client.networks(filters=ours)):
            if everything or _dead(thing):
                _take(done.networks, thing["Name"], client.remove_network, thing["Id"])
        for thing in filter(_owned, client.volumes(filters=ours)["Volumes"] or ()):
            if everything or _dead(thing):
                _take(done.volumes, thing["Name"], client.remove_volume, thing["Name"])
        for thing in _images(client, ours, everything=everything):
            _forget(client, done.images, thing)
    return done


def _owned(thing: Thing) -> bool:
    """Tell whether somebody's label is on it: a container of your own has those of its image."""
    try:
        owner.parse(_label(thing))
    except ValueError:
        return False
    return True


def _dead(thing: Thing) -> bool:
    try:
        gone = owner.gone(owner.parse(_label(thing)))
    except ValueError:
        gone = None
    if gone is not None:
        return gone
    age = time.time() - thing["Created"] if isinstance(thing.get("Created"), int) else 0.0
    return thing.get("State") != "running" and age > UNKNOWN_SECONDS


def _images(client: Any, ours: dict[str, list[str]], *, everything: bool) -> Iterable[Thing]:
    """Return images to remove, the newest first: a layer goes after those that stand on it.

    Without `everything` they have no name, and no owner who may still be at it.
    """
    wanted = ours if everything else {**ours, "dangling": ["true"]}
    found: list[Thing] = client.images(filters=wanted)
    images = [it for it in found if everything or not _label(it) or _dead(it)]
    return sorted(images, key=lambda image: -int(image["Created"]))


def _label(thing: Thing) -> str:
    return str((thing.get("Labels") or {}).get(OWNER_LABEL, ""))


def _forget(client: Any, done: list[str], image: Thing) -> None:
    tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
    for name in tags or [image["Id"]]:
        _take(done, name if tags else name.removeprefix("sha256:")[:12], client.remove_image, name)


def _take(done: list[str], name: str, removing: Callable[[str], Any], target: str) -> None:
    """Remove something, unless it is in use, or gone already."""
    import docker.errors  # noqa: PLC0415 - an extra

    try:
        removing(target)
    except docker.errors.APIError as error:
        if error.status_code not in {_IN_USE, _GONE}:
            raise
    else:
        done.append(name)
