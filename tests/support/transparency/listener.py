"""The recorder's stand-in for very many commands: what each said is found by its pid."""

from __future__ import annotations

import threading
from pathlib import Path

from support.shim import PATIENCE, TOKEN, Heard, Recorder

__all__ = ["TOKEN", "Heard", "Listener"]


class Listener(Recorder):
    """A recorder that gives out what a process said, once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self._said: dict[str, Heard] = {}
        self._looking = threading.Lock()
        self.__enter__()
        self.path.chmod(0o777)

    def take(self, pid: int) -> Heard:
        """Return all that a process said, once it has ended."""
        with self._looking:
            while str(pid) not in self._said:
                heard = self._new.get(timeout=PATIENCE)
                self._said[heard["shim"]] = heard
            self.commands.clear()
            found = self._said.pop(str(pid))
        assert found.closed.wait(PATIENCE), "the command's connection is still open"
        return found

    def knows(self, pid: int) -> bool:
        """Tell whether a process has said something."""
        with self._looking:
            while not self._new.empty():
                heard = self._new.get()
                self._said[heard["shim"]] = heard
            return str(pid) in self._said

    def close(self) -> None:
        """Stop listening."""
        self.kill()
