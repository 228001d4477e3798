"""A box's container: made, started, and removed; why it ended. Not what is run in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from traceproof.sandbox.docker.client import SECONDS, failures
from traceproof.sandbox.docker.control import Control
from traceproof.sandbox.docker.stream import Stream
from traceproof.sandbox.errors import SandboxError, SandboxUnavailable

_GONE = 404
_UNDER_WAY = 409


class Container:
    """A container whose main process is ours, attached to it for as long as it lives.

    The engine removes it when it ends, and it ends when this process does.

    Args:
        client: docker-py's.
        body: what is asked of the engine.
        on_report: called with reports, in a thread of its own.
        limit: how many bytes of reports are taken; with more, it is destroyed.
    """

    def __init__(
        self,
        client: Any,
        body: Mapping[str, object],
        on_report: Callable[[bytes], None],
        limit: int,
    ) -> None:
        self._client = client
        self._since = int(time.time()) - 1
        self._limit = limit
        self._removing = threading.Lock()
        self._removed = False
        self._control: Control | None = None
        self.fate = ""
        with failures("make a box"):
            self.id = str(client.create_container_from_config(dict(body))["Id"])
        try:
            query = "stream=1&stdin=1&stdout=1&stderr=1"
            stream = Stream(client, f"/containers/{self.id}/attach?{query}")
            self._control = Control(stream, on_report, self._flooded, limit)
            with failures("start a box"):
                client.start(self.id)
            self.control.wait_ready()
        except BaseException:
            self.destroy("it could not be started")
            raise

    @property
    def control(self) -> Control:
        """Its main process."""
        assert self._control is not None, "it was not started"  # noqa: S101 - for the types
        return self._control

    @property
    def ended(self) -> bool:
        """Whether it has ended, as far as is known."""
        return self.control.ended.is_set()

    def destroy(self, why: str) -> None:
        """Kill and remove it, if that was not done; the first reason given counts."""
        self.fate = self.fate or why
        with self._removing:
            if self._removed:
                return
            try:
                remove(self._client, self.id)
            finally:
                self._disconnect()
            self._removed = True

    def explain(self) -> tuple[str, bool]:
        """Say why it has ended, and whether that was for want of memory.

        Raises:
            SandboxUnavailable: it was not our doing, nor the command's.
        """
        if self.control.failure is not None:
            raise self.control.failure
        if self.fate:
            return self.fate, False
        if self._out_of_memory():
            return "nothing in it could be kept running: out of memory", True
        raise SandboxUnavailable("the box was ended from outside, or the engine is going away")

    def _disconnect(self) -> None:
        """End what we hold of it; with its input, it ends as well."""
        if self._control is not None:
            self._control.close()

    def _flooded(self) -> None:
        self.fate = self.fate or f"more than {self._limit:,} bytes were reported"

    def _out_of_memory(self) -> bool:
        wanted = {"container": [self.id], "event": ["oom"]}
        until = int(time.time()) + 1
        with failures("ask what became of a box"):
            events = self._client.events(since=self._since, until=until, filters=wanted)
            return any(True for _ in events)


def remove(client: Any, container: str) -> None:
    """Kill and remove a container with its volumes, and see it gone.

    Raises:
        SandboxError: it cannot be removed, or not within a minute.
    """
    import docker.errors  # noqa: PLC0415 - an extra

    with failures("remove a box"):
        try:
            client.remove_container(container, force=True, v=True)
        except docker.errors.APIError as error:
            if error.status_code == _GONE:
                return
            if error.status_code != _UNDER_WAY:
                raise
        _see_gone(client, container)


def _see_gone(client: Any, container: str) -> None:
    import docker.errors  # noqa: PLC0415 - an extra

    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            client.inspect_container(container)
        except docker.errors.NotFound:
            return
        time.sleep(0.005)
    raise SandboxError(f"the engine does not remove the box {container[:12]}: docker rm -f it")
