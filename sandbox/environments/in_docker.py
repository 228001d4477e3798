"""Environments as images: three layers, each found again by the key of what decided it.

*base*: an image that is there or fetched. *dependencies*: users, system commands, the virtual
environment. *environment*: the source, the project installed in place, all of it stashed where
boxes take it from. Code of the project runs in containers of its own, never in one whose layer
another project may share.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import msgspec

from traceproof.sandbox.docker.client import connect, failures
from traceproof.sandbox.environments import bases, cache, chosen, images, install, steps, tarring
from traceproof.sandbox.environments.chosen import Chosen, Resolution
from traceproof.sandbox.environments.container import Container, started
from traceproof.sandbox.environments.dates import Rung
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.facts import facts
from traceproof.sandbox.environments.install import Interpreter
from traceproof.sandbox.environments.lock import Lock, LockedBase
from traceproof.sandbox.environments.request import Request
from traceproof.sandbox.environments.resolve import needs_anything, resolve
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.protocol import Image

_LOCK: Final = "traceproof.lock"
_PYTHONS: Final = ("python3", "python")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def build(client: Any, request: Request) -> Environment:
    """Build an environment, or find it; see `build.build`."""
    if request.recipe.python and not request.recipe.setup and request.uv is None:
        raise ImageFailed("uv is not installed: pip install 'traceproof[docker]'")
    return _Build(client or connect(), request).environment()


class _Build:
    def __init__(self, client: Any, request: Request) -> None:
        self._client = client
        self._request = request
        self._recipe = request.recipe
        self._source = request.source
        self._say = request.say
        self._made: list[str] = []
        self._tree = tarring.digest(request.source.folder)
        self._base = bases.find(client, request, self._tree, self._made)

    def environment(self) -> Environment:
        """Return the environment; what is not there is built."""
        recipe, source = self._recipe, self._source
        resolution = self._resolution()
        decided = (recipe, self._tree, source.commit, source.whole, self._base.id)
        key = cache.key("environment", decided, resolution.chosen)
        with cache.alone(cache.folder() / "locks" / key[:32]):
            image = images.made(self._client, "environment", key)
            if not image:
                image = self._finish(resolution, key)
        return Environment(
            image=Image(
                id=image,
                workspace=recipe.workspace,
                digest=self._base.digest,
                environment=self._variables(),
            ),
            lock=self._lock_of(image),
            key=key,
            made=tuple(self._made),
            test=recipe.test,
            report=recipe.report,
        )

    def _start(self, image: str) -> Any:
        seconds, uv = self._request.seconds, self._request.uv
        return started(self._client, image, self._recipe.workspace, seconds=seconds, uv=uv)

    # ---- what is needed

    def _resolution(self) -> Resolution:
        decided = (self._recipe, self._tree, self._source.commit, self._base.id, self._request.lock)
        path = cache.folder() / "resolutions" / f"{cache.key('resolution', decided)}.json"
        with cache.alone(path.with_suffix(".lock")):
            known = cache.recall(path, Resolution)
            if known is None:
                known = self._work_out()
                cache.remember(path, known)
        return known

    def _work_out(self) -> Resolution:
        self._say("working out what the project needs")
        recipe = self._recipe
        with self._start(self._base.id) as shop:
            about = facts(shop)
            wanted = recipe.python is not None and not recipe.setup
            python = steps.python(shop, recipe, _PYTHONS) if wanted else None
            if python is None:
                return Resolution(chosen=Chosen(packages=()), python=None, facts=about)
            if self._request.lock is not None:
                kept = chosen.from_lock(self._request.lock)
                return Resolution(chosen=kept, python=python, facts=about)
            steps.bring(shop, self._source)

            def attempt(rung: Rung) -> Chosen:
                return self._attempt(shop, python, rung)

            worked = chosen.first_that_works(recipe, python, attempt, self._say)
        return Resolution(chosen=worked, python=python, facts=about)

    def _attempt(self, shop: Container, python: Interpreter, rung: Rung) -> Chosen:
        assert self._recipe.python is not None  # noqa: S101 - see _work_out
        if not needs_anything(self._recipe.python):
            return Chosen(packages=())
        packages, notes = resolve(shop, self._recipe.python, rung, python.path, python.minor)
        notes = tuple(filter(None, (rung.note, *notes)))
        found = Chosen(packages=packages, dates=rung, notes=notes)
        self._dependencies(found, python)
        return found

    # ---- the layers

    def _dependencies(self, found: Chosen, python: Interpreter | None) -> str:
        """Return the image with everything but the source."""
        decided = (self._base.id, self._recipe.system, found.packages, found.dates, python)
        key = cache.key("dependencies", decided)
        with cache.alone(cache.folder() / "locks" / key[:32]):
            image = images.made(self._client, "dependencies", key)
            if image:
                return image
            self._say(f"installing {len(found.packages)} packages")
            with self._start(self._base.id) as shop:
                steps.users(shop)
                steps.commands(shop, self._recipe.system, "a system command failed")
                if python:
                    install.packages(shop, found.packages, found.dates, python)
                steps.tidy(shop)
                image = self._keep(shop, "dependencies", key, {})
        return image

    def _finish(self, resolution: Resolution, key: str) -> str:
        below = self._dependencies(resolution.chosen, resolution.python)
        self._say("building the project in its workspace")
        with self._start(below) as shop:
            steps.bring(shop, self._source)
            notes = steps.workspace(shop, self._recipe, resolution.python)
            lock = steps.lock(shop, self._recipe, resolution, notes, self._locked_base())
            steps.stash(shop)
            text = base64.b64encode(zlib.compress(msgspec.json.encode(lock), 9)).decode("ascii")
            return self._keep(shop, "environment", key, {_LOCK: text})

    def _keep(self, shop: Container, kind: str, key: str, more: dict[str, str]) -> str:
        self._made.append(kind)
        labels = {images.KIND: kind, images.KEY: key} | more
        return shop.keep(f"traceproof/{kind}", key[:16], labels)

    def _locked_base(self) -> LockedBase:
        return LockedBase(reference=self._base.reference, digest=self._base.digest)

    def _lock_of(self, image: str) -> Lock:
        with failures("read an image's lock"):
            text = self._client.inspect_image(image)["Config"]["Labels"][_LOCK]
        return msgspec.json.decode(zlib.decompress(base64.b64decode(text)), type=Lock)

    def _variables(self) -> dict[str, str]:
        path = self._base.path or _PATH
        recipe = self._recipe
        if recipe.python and not recipe.setup:
            venv = Container.venv
            own = {"PATH": f"{venv}/bin:{path}", "VIRTUAL_ENV": venv}
        else:
            own = {"PATH": path}
        return own | dict(recipe.environment)
