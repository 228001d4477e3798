"""Environments as private folders, for the `local` backend: the same recipe, without an engine.

An environment is a folder of the cache, named by the key of what decided it: `source` (the built
tree), `venv`, and `workspace`, the empty folder at whose path the tree was built. It is whole when
its lock is there.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from traceproof.sandbox.environments import cache, chosen, editable, install, node, sources, tarring
from traceproof.sandbox.environments.chosen import Chosen
from traceproof.sandbox.environments.dates import Rung
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.facts import facts
from traceproof.sandbox.environments.folder import Folder
from traceproof.sandbox.environments.install import Interpreter
from traceproof.sandbox.environments.lock import Lock, Package, load, save
from traceproof.sandbox.environments.recipe import Recipe, Source
from traceproof.sandbox.environments.request import Request
from traceproof.sandbox.environments.resolve import needs_anything, resolve
from traceproof.sandbox.environments.versions import satisfies
from traceproof.sandbox.environments.workshop import must
from traceproof.sandbox.errors import ImageFailed, OutOfRoom
from traceproof.sandbox.protocol import Image

_MINORS: Final = range(13, 7, -1)
_LOCK: Final = "lock.json"


def build(root: Path, request: Request) -> Environment:
    """Build an environment under a folder, or find it; see `build.build`."""
    recipe, source = request.recipe, request.source
    if recipe.base.image or recipe.base.dockerfile:
        raise ImageFailed("an image or a Dockerfile needs an engine: `--sandbox docker`")
    decided = (recipe, tarring.digest(source.folder), source.commit, source.whole, request.lock)
    key = cache.key("folder", decided, sys.version, str(root))
    home = root / key[:32]
    made: tuple[str, ...] = ()
    with cache.alone(root / f"{key[:32]}.lock"):
        if not (home / _LOCK).exists():
            _make(home, root / "uv", request)
            made = ("environment",)
    workspace = str(home / "workspace")
    return Environment(
        image=Image(id=str(home), workspace=workspace, environment=_variables(home, recipe)),
        lock=load(home / _LOCK),
        key=key,
        made=made,
        test=recipe.test,
        report=recipe.report,
    )


def _make(home: Path, downloads: Path, request: Request) -> None:
    if home.exists():  # what a killed build has left
        shutil.rmtree(home)
    try:
        shop = Folder(home, request.uv, downloads, request.seconds)
        request.say("building the project in a private folder")
        _bring(request.source, Path(shop.workspace))
        result = _build(shop, request)
        Path(shop.workspace).rename(home / "source")
        Path(shop.workspace).mkdir()
        shutil.rmtree(shop.scratch)
        save(result, home / _LOCK)
    except BaseException as error:
        shutil.rmtree(home, ignore_errors=True)
        if isinstance(error, OSError) and "No space left" in str(error):
            raise OutOfRoom(f"the disk is full: {home} cannot be built; make room") from error
        raise


def _build(shop: Folder, request: Request) -> Lock:
    recipe = request.recipe
    found, notes, python = Chosen(packages=()), [], None
    if recipe.system:
        notes.append("the system commands were not run: this is no container")
    for command in recipe.setup:
        must(shop, ["sh", "-c", command], f"a setup command failed: {command[:200]}",
             cwd=shop.workspace)  # fmt: skip
    if recipe.setup:
        notes.append("the packages are those that the given commands installed")
    elif recipe.python:
        python = _python(shop, recipe)
        found = _packages(shop, request, python)
        if recipe.python.project and shop.uv:
            notes += install.project(shop, recipe.date, python)
            editable.follow(Path(shop.venv), shop.workspace)
    npm: tuple[Package, ...] = ()
    if recipe.node and not recipe.setup:
        node.install(shop)
        npm = node.packages(shop, recipe.node)
    about = facts(shop)
    return Lock(
        kind="commands" if recipe.setup else "node" if recipe.node else "python",
        os=about.os,
        machine=about.machine,
        locales=about.locales,
        zones=about.zones,
        python=python.name if python else "",
        node=node.version(shop) if recipe.node and not recipe.setup else "",
        dates=found.dates,
        packages=(*found.packages, *npm),
        notes=tuple(dict.fromkeys((*found.notes, *notes))),
    )


def _python(shop: Folder, recipe: Recipe) -> Interpreter:
    """Return the Python that runs us, if the project runs on it, or another one of this machine."""
    requires = recipe.python.requires if recipe.python else ""
    named = [f"python3.{minor}" for minor in _MINORS if satisfies((3, minor), requires)]
    own = (
        [getattr(sys, "_base_executable", sys.executable)]
        if satisfies(sys.version_info[:2], requires)
        else []
    )
    found = install.interpreter(shop, (*own, *named))
    if found is None:
        raise ImageFailed(f"no Python here is {requires or '3.8 or newer'}; install one")
    return found


def _packages(shop: Folder, request: Request, python: Interpreter) -> Chosen:
    asked = request.recipe.python
    if request.lock is not None or asked is None or not needs_anything(asked):
        found = chosen.from_lock(request.lock) if request.lock else Chosen(packages=())
        _can_install(shop, needed=bool(found.packages))
        install.packages(shop, found.packages, found.dates, python)
        return found
    _can_install(shop, needed=True)

    def attempt(rung: Rung) -> Chosen:
        packages, notes = resolve(shop, asked, rung, python.path, python.minor)
        request.say(f"installing {len(packages)} packages")
        shutil.rmtree(shop.venv, ignore_errors=True)
        install.packages(shop, packages, rung, python)
        return Chosen(packages=packages, dates=rung, notes=tuple(filter(None, (rung.note, *notes))))

    return chosen.first_that_works(request.recipe, python, attempt, request.say)


def _can_install(shop: Folder, *, needed: bool) -> None:
    if needed and not shop.uv:
        raise ImageFailed("uv is not installed: pip install 'traceproof[docker]'")


def _bring(source: Source, workspace: Path) -> None:
    shutil.copytree(source.folder, workspace, symlinks=True, dirs_exist_ok=True)
    with sources.repository(source) as git:
        if git:
            shutil.copytree(git, workspace / ".git", symlinks=True)


def _variables(home: Path, recipe: Recipe) -> dict[str, str]:
    path = os.environ.get("PATH", os.defpath)
    own = {"PATH": path, editable.VARIABLE: str(home / "workspace")}
    if recipe.python and not recipe.setup:
        own |= {"PATH": f"{home}/venv/bin:{path}", "VIRTUAL_ENV": f"{home}/venv"}
    return own | dict(recipe.environment)
