"""A sandbox that knows the boxes it has started, so that all of them can be ended at once.

What a box is, and how one is started, is the business of the sandbox behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

from traceproof.sandbox.errors import SandboxError, SandboxUnavailable
from traceproof.sandbox.protocol import Box, Image, Sandbox, Setting

_MOST_ENDING = 8


class Boxes:
    """A `Sandbox` in front of another one; any thread may use it.

    A container that is left is not waited for: it ends beside what comes next, and is joined by
    `stop` and `settle`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._live: dict[int, Box] = {}
        self._stopped = ""
        self._ending: list[threading.Thread] = []
        self._failure: SandboxError | None = None

    @property
    def name(self) -> Literal["docker", "local"]:
        """Which sandbox it is."""
        return self._sandbox.name

    @property
    def isolation(self) -> Literal["container", "process"]:
        """What stands between the code and this machine."""
        return self._sandbox.isolation

    def shortfalls(self, setting: Setting) -> Mapping[str, str]:
        """Say what of a setting cannot be had here."""
        return self._sandbox.shortfalls(setting)

    @contextmanager
    def start(
        self, image: Image, setting: Setting, on_report: Callable[[bytes], None] | None = None
    ) -> Iterator[Box]:
        """Start a box.

        Raises:
            SandboxError: the provider failed, or no more boxes are to be started.
        """
        self._check()
        context = self._sandbox.start(image, setting, on_report)
        with ExitStack() as stack:
            box = stack.enter_context(context)
            with self._lock:
                self._live[id(box)] = box
            stack.callback(self._forget, box)
            self._check()
            yield box
            if self._sandbox.name == "docker":  # the engine takes its time, not this machine's
                self._end_later(stack.pop_all())

    def stop(self, why: str) -> None:
        """Destroy the boxes that live, and wait for those that end; from now on none is started."""
        with self._lock:
            self._stopped = self._stopped or why
            live = list(self._live.values())
        for box in live:
            with suppress(SandboxError):  # its own context tries again
                box.destroy()
        self._join()

    def settle(self) -> None:
        """Wait until every box that was left is gone.

        Raises:
            SandboxError: one cannot be removed.
        """
        self._join()
        if self._failure is not None:
            raise self._failure

    def _forget(self, box: Box) -> None:
        with self._lock:
            self._live.pop(id(box), None)

    def _end_later(self, stack: ExitStack) -> None:
        """End a box beside what comes next; who ends first is no matter, and none is forgotten."""
        thread = threading.Thread(target=self._end, args=(stack,), name="traceproof-ends-a-box")
        self._join(but=_MOST_ENDING)
        with self._lock:
            thread.start()
            self._ending.append(thread)

    def _end(self, stack: ExitStack) -> None:
        try:
            stack.close()
        except SandboxError as error:
            self._failure = error

    def _join(self, but: int = 0) -> None:
        """Wait for boxes to end, the oldest first, until so many are left."""
        while True:
            with self._lock:
                if len(self._ending) <= but:
                    return
                thread = self._ending.pop(0)
            thread.join()

    def _check(self) -> None:
        with self._lock:
            if self._stopped:
                raise SandboxUnavailable(self._stopped)
            if self._failure is not None:
                raise self._failure
