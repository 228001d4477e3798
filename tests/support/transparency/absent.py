"""Recorders that are no use: nobody there, one that never answers, one that dies at once."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

from traceproof.recorder.shim import wire

KINDS = ("nobody", "gone", "full", "silent", "dying", "garbling")
"""No socket; a socket that nobody listens on; one that accepts nothing any more; one that takes
hellos and never answers; one that hangs up once it has answered; one that answers nonsense."""

_GO = wire.encode(wire.GO, 0)


class Absent:
    """A recorder of one of these kinds."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self._kind = kind
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stop, self._stopped = socket.socketpair()
        self._links: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        if kind != "nobody":
            self._server.bind(str(path))
        if kind not in ("nobody", "gone"):
            self._server.listen(0 if kind == "full" else 100)
        if kind == "full":
            self._fill()
        if kind in ("silent", "dying", "garbling"):
            self._thread.start()

    def close(self) -> None:
        """Be gone altogether."""
        self._stop.close()
        if self._thread.is_alive():
            self._thread.join()
        for one in (*self._links, self._server, self._stopped):
            one.close()

    def _fill(self) -> None:
        """Take every place in the queue."""
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            link.setblocking(False)
            self._links.append(link)
            try:
                link.connect(str(self.path))
            except BlockingIOError:
                return

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._server, self._stopped], [], [])
            if self._stopped in ready:
                return
            link, _ = self._server.accept()
            if self._kind == "silent":
                self._links.append(link)
                continue
            link.recv(wire.MAX_PACKET)
            with suppress(BrokenPipeError):
                link.send(_GO if self._kind == "dying" else b"what?")
            link.close()
