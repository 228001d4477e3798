"""The door: boxes from an engine. What a box is: `box`; where the engine is: `client`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.docker.client import connect, failures
from traceproof.sandbox.protocol import Image, Setting


class DockerSandbox:
    """Starts boxes that are containers.

    Args:
        url: where the engine is; default: `DOCKER_HOST`, or docker-py's default.
        runtime: the engine's runtime for boxes, as `runsc`; empty: the engine's default.

    Raises:
        SandboxUnavailable: docker-py is not installed, or no engine answers.
    """

    def __init__(self, url: str | None = None, runtime: str = "") -> None:
        self._runtime = runtime
        self._volumes: dict[str, tuple[str, ...]] = {}
        self.client: Any = connect(url)

    @property
    def name(self) -> Literal["docker"]:
        """Which it is."""
        return "docker"

    @property
    def isolation(self) -> Literal["container"]:
        """What stands between the code and this machine."""
        return "container"

    def shortfalls(self, setting: Setting) -> Mapping[str, str]:  # noqa: ARG002 - all is held
        """Say what of a setting cannot be had here: nothing."""
        return {}

    def start(
        self, image: Image, setting: Setting, on_report: Callable[[bytes], None] | None = None
    ) -> AbstractContextManager[DockerBox]:
        """Start a box; leaving the context destroys it, whatever happened."""
        return self._start(image, setting, on_report)

    @contextmanager
    def _start(
        self, image: Image, setting: Setting, on_report: Callable[[bytes], None] | None
    ) -> Iterator[DockerBox]:
        volumes = self._volumes_of(image.id)
        box = DockerBox(self.client, image, setting, on_report, self._runtime, volumes=volumes)
        try:
            yield box
        finally:
            box.destroy()

    def _volumes_of(self, image: str) -> tuple[str, ...]:
        """Return what an image declares as volumes; an image's id stands for one image."""
        if image not in self._volumes:
            with failures("make a box"):
                told = self.client.inspect_image(image)["Config"] or {}
            self._volumes[image] = tuple(told.get("Volumes") or ())
        return self._volumes[image]
