"""The recorder's stand-in for very many commands: what each said is found by its pid."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path

from support.shim import PATIENCE, TOKEN, Heard
from traceproof.recorder.shim import wire

__all__ = ["TOKEN", "Heard", "Listener"]

_GO = wire.encode(wire.GO, 0, wire.encode_fields([(b"verdict", b"record")]))


class Listener:
    """A recorder in one thread, which has every command recorded.

    Args:
        path: Of its socket, which every user may connect to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.bind(str(path))
        self._server.listen(100)
        path.chmod(0o777)
        self._stop, self._stopped = socket.socketpair()
        self._poll = select.epoll()
        for one in (self._server, self._stopped):
            self._poll.register(one, select.EPOLLIN)
        self._links: dict[int, tuple[socket.socket, Heard]] = {}
        self._said: dict[str, Heard] = {}
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def take(self, pid: int) -> Heard:
        """Return all that a process said, once it has ended."""
        with self._news:
            there = self._news.wait_for(lambda: str(pid) in self._said, PATIENCE)
            assert there, "the command has not said all, or nothing"
            return self._said.pop(str(pid))

    def knows(self, pid: int) -> bool:
        """Tell whether a process has said something."""
        with self._news:
            heard = [*self._said.values(), *(heard for _, heard in self._links.values())]
            return any(str(pid) in map(bytes.decode, one.all("shim")) for one in heard)

    def close(self) -> None:
        """Stop listening."""
        self._stop.close()
        self._thread.join()
        for link, _ in self._links.values():
            link.close()
        for one in (self._server, self._stopped, self._poll):
            one.close()

    def _run(self) -> None:
        while True:
            for number, _ in self._poll.poll():
                if number == self._stopped.fileno():
                    return
                if number == self._server.fileno():
                    link, _ = self._server.accept()
                    self._links[link.fileno()] = link, Heard()
                    self._poll.register(link, select.EPOLLIN)
                else:
                    self._hear(number)

    def _hear(self, number: int) -> None:
        link, heard = self._links[number]
        try:
            packet = link.recv(wire.MAX_PACKET)
        except ConnectionResetError:
            return  # it left our answer unread; what it said is still to come
        if packet:
            heard.packets.append(wire.decode(packet))
            if packet[:1] == wire.HELLO:
                self._answer(link, heard)
            return
        self._poll.unregister(link)
        link.close()
        with self._news:
            del self._links[number]
            if heard.hello:
                self._said[heard["shim"]] = heard
            self._news.notify_all()

    def _answer(self, link: socket.socket, heard: Heard) -> None:
        pieces = (wire.HELLO_PIECE, wire.HELLO)
        hello = b"".join(payload for kind, _, payload in heard.packets if kind in pieces)
        with self._news:
            heard.hello = wire.decode_fields(hello)
        assert heard["token"] == TOKEN
        try:
            link.send(_GO)
        except BrokenPipeError:  # killed meanwhile
            return
