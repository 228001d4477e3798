"""A recorder for tees: it listens, and keeps every packet."""

from __future__ import annotations

import queue
import socket
import threading
from contextlib import suppress
from pathlib import Path

from traceproof.recorder.mcp.install import Tee
from traceproof.recorder.shim import wire

PATIENCE = 30


class Heard:
    """One tee's connection, as packets in order."""

    def __init__(self) -> None:
        self._packets: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
        self.hello: dict[str, list[str]] = {}

    def take(self, packet: bytes) -> None:
        kind, _, payload = wire.decode(packet)
        if kind == wire.HELLO:
            for key, value in wire.decode_fields(payload):
                self.hello.setdefault(key.decode(), []).append(value.decode())
        else:
            self._packets.put((kind, payload))

    def end(self) -> None:
        self._packets.put(None)

    def rest(self) -> list[tuple[bytes, bytes]]:
        """Return what comes until the tee is gone; pieces are put together."""
        found: list[tuple[bytes, bytes]] = []
        pieces: dict[bytes, list[bytes]] = {
            wire.FROM_CLIENT_PIECE: [],
            wire.FROM_SERVER_PIECE: [],
        }
        while (packet := self._packets.get(timeout=PATIENCE)) is not None:
            kind, payload = packet
            if kind in pieces:
                pieces[kind].append(payload)
            elif kind.lower() in pieces and kind.isupper():
                found.append((kind, b"".join([*pieces[kind.lower()], payload])))
                pieces[kind.lower()].clear()
            else:
                found.append(packet)
        return found

    def lines(self) -> tuple[list[bytes], list[bytes]]:
        """Return the lines from the agent and from the server."""
        rest = self.rest()
        return (
            [line for kind, line in rest if kind == wire.FROM_CLIENT],
            [line for kind, line in rest if kind == wire.FROM_SERVER],
        )


class Recorder:
    """Takes tees' connections until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(str(folder / "s"))
        self.socket.listen()
        self.tee = Tee(folder / "run", folder / "s", "token")
        self.tee.write()
        self.deaf = False
        """Whether it takes connections and listens to none."""
        self._connections: list[socket.socket] = []
        self._closed = False
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def heard(self) -> Heard:
        """Return the next tee's connection."""
        return self._heard.get(timeout=PATIENCE)

    def close_now(self) -> None:
        """Listen no more."""
        if not self._closed:
            self._closed = True
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()

    def drop_all(self) -> None:
        """End every connection, as a recorder does that is killed."""
        while self._connections:
            connection = self._connections.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if self.deaf:
                connection.close()

    def close(self) -> None:
        self.close_now()
        self.drop_all()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            if self.deaf:
                continue
            heard = Heard()
            self._heard.put(heard)
            threading.Thread(target=self._listen, args=(connection, heard), daemon=True).start()

    def _listen(self, connection: socket.socket, heard: Heard) -> None:
        with connection, suppress(OSError):
            while packet := connection.recv(wire.MAX_PACKET):
                heard.take(packet)
        heard.end()
