"""The steps of a build that containers share: users, source, commands, the stash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from traceproof.sandbox.environments import install, node, sources, tarring
from traceproof.sandbox.environments.chosen import Resolution
from traceproof.sandbox.environments.container import Container
from traceproof.sandbox.environments.install import OWNED_BY_OTHERS, Interpreter
from traceproof.sandbox.environments.lock import Lock, LockedBase, Package
from traceproof.sandbox.environments.recipe import Recipe, Source
from traceproof.sandbox.environments.versions import satisfies
from traceproof.sandbox.environments.workshop import must
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.layout import GRADE, HOME, STASH, WORK

_USERS: Final = r"""
set -e
for file in /etc/passwd /etc/group; do
    touch "$file"
    sed -i -e '/^work:/d; /^grade:/d' -e "/^[^:]*:[^:]*:$1:/d; /^[^:]*:[^:]*:$2:/d" "$file"
done
printf 'work:x:%s:%s::%s:/bin/sh\ngrade:x:%s:%s::/nonexistent:/bin/sh\n' \
    "$1" "$1" "$3" "$2" "$2" >> /etc/passwd
printf 'work:x:%s:\ngrade:x:%s:\n' "$1" "$2" >> /etc/group
"""
_STASH: Final = r"""
set -e
chown -R "$3:$3" "$1"
mkdir -p "${2%/*}"
mv "$1" "$2"
mkdir -p "$1"
chown "$3:$3" "$1"
above=${1%/*}
while [ -n "$above" ]; do chmod a+rx "$above"; above=${above%/*}; done
"""
_TIDY: Final = r"""
find /tmp /var/tmp -mindepth 1 -delete 2>/dev/null || true
rm -rf ~root/.cache /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
"""


def users(shop: Container) -> None:
    """Make the users `work` and `grade`; who had their numbers is gone."""
    arguments = [str(WORK), str(GRADE), HOME]
    must(shop, ["sh", "-c", _USERS, "sh", *arguments], "the base image takes no users")


def commands(shop: Container, given: Sequence[str], failure: str, cwd: str = "/") -> None:
    """Run shell commands, one after the other.

    Raises:
        ImageFailed: one failed.
    """
    for command in given:
        argv = ["sh", "-c", command]
        must(shop, argv, f"{failure}: {command[:200]}", cwd=cwd, environment=OWNED_BY_OTHERS)


def python(shop: Container, recipe: Recipe, candidates: tuple[str, ...]) -> Interpreter:
    """Return the base's Python.

    Raises:
        ImageFailed: it has none, or one that the project does not run on.
    """
    found = install.interpreter(shop, candidates)
    if found is None:
        raise ImageFailed("the base image has no Python; name another with `--image`")
    requires = recipe.python.requires if recipe.python else ""
    if not satisfies(found.minor, requires):
        raise ImageFailed(
            f"the project runs on Python {requires}, the base image has {found.version}; "
            "name another with `--image`"
        )
    return found


def bring(shop: Container, source: Source) -> None:
    """Put the tree into the workspace, and its repository, if it has one."""
    shop.unpack(tarring.tree(source.folder), shop.workspace)
    with sources.repository(source) as git:
        if git:
            shop.unpack(tarring.tree(git), f"{shop.workspace}/.git")


def workspace(shop: Container, recipe: Recipe, python: Interpreter | None) -> tuple[str, ...]:
    """Make what the tests need of the workspace itself; return notes."""
    if recipe.setup:
        commands(shop, recipe.setup, "a setup command failed", shop.workspace)
        return ("the packages are those that the given commands installed",)
    if recipe.node:
        node.install(shop)
    if recipe.python and recipe.python.project and python:
        return install.project(shop, recipe.date, python)
    return ()


def lock(
    shop: Container,
    recipe: Recipe,
    resolution: Resolution,
    notes: tuple[str, ...],
    base: LockedBase,
) -> Lock:
    """Return what the environment was made of."""
    packages, about = resolution.chosen.packages, resolution.facts
    npm: tuple[Package, ...] = ()
    if recipe.node and not recipe.setup:
        npm = node.packages(shop, recipe.node)
    python = resolution.python
    return Lock(
        kind="commands" if recipe.setup else "node" if recipe.node else "python",
        os=about.os,
        machine=about.machine,
        locales=about.locales,
        zones=about.zones,
        python=python.name if python else "",
        node=node.version(shop) if recipe.node and not recipe.setup else "",
        base=base,
        dates=resolution.chosen.dates,
        packages=(*packages, *npm),
        system=about.packages,
        notes=tuple(dict.fromkeys((*resolution.chosen.notes, *notes))),
    )


def stash(shop: Container) -> None:
    """Move the built workspace to where boxes are filled from, and leave an empty folder."""
    must(
        shop,
        ["sh", "-c", _STASH, "sh", shop.workspace, STASH, str(WORK)],
        "the workspace cannot be stashed",
    )
    tidy(shop)


def tidy(shop: Container) -> None:
    """Remove what a build leaves in temporary folders and caches."""
    must(shop, ["sh", "-c", _TIDY], "the image cannot be tidied up")
