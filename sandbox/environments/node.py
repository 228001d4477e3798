"""Projects of npm: what their lock says is installed, as `npm ci` does it."""

from __future__ import annotations

from typing import Any

import msgspec

from traceproof.sandbox.environments.lock import Package
from traceproof.sandbox.environments.recipe import Node
from traceproof.sandbox.environments.workshop import Workshop, must

_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier")


def install(shop: Workshop) -> None:
    """Install what the project's lock names.

    Raises:
        ImageFailed: there is no npm, or it failed.
    """
    cache = {"npm_config_cache": f"{shop.scratch}/npm"}
    failure = "`npm ci` failed; the base image must have Node (`--image node@sha256:…`)"
    must(shop, ["npm", "ci", *_QUIET], failure, cwd=shop.workspace, environment=cache)


def version(shop: Workshop) -> str:
    """Return the version of Node."""
    return must(shop, ["node", "--version"], "the base image has no Node").strip().lstrip("v")


def packages(shop: Workshop, node: Node) -> tuple[Package, ...]:
    """Return what the project's lock names, sorted.

    Raises:
        ImageFailed: there is no lock.
    """
    path = f"{shop.workspace}/{node.lock}"
    return packages_of(must(shop, ["cat", path], "the project's lock cannot be read"))


def packages_of(text: str) -> tuple[Package, ...]:
    """Return what a `package-lock.json` names, in its versions 2 and 3, sorted; links left out."""
    listed: dict[str, Any] = msgspec.json.decode(text).get("packages") or {}
    found = []
    for path, entry in listed.items():
        name = entry.get("name") or path.rpartition("node_modules/")[2]
        if not path or entry.get("link") or not entry.get("version"):
            continue
        hashes = tuple(filter(None, [entry.get("integrity")]))
        found.append(Package(name=name, version=entry["version"], hashes=hashes))
    return tuple(sorted(found))
