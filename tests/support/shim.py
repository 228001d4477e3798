"""A stand-in for the recorder's side of the shell shim: it listens, and keeps what it is told.

By hand, with two terminals:

    python -P tests/support/shim.py

prints launchers to run, then every packet of the commands that are run with them. In a test:

    with Recorder(tmp_path) as recorder:
        bash = recorder.folder().launcher("path", "/bin/bash")
        subprocess.run([bash, "-c", "echo hi"])
        command = recorder.command()
        assert command.stdout == b"hi\\n"
"""

from __future__ import annotations

import queue
import select
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from traceproof.recorder.shim import wire
from traceproof.recorder.shim.install import ShimFolder

TOKEN = "a-token"
PATIENCE = 60


class Heard:
    """What one command said."""

    def __init__(self) -> None:
        self.hello: list[tuple[bytes, bytes]] = []
        self.packets: list[tuple[bytes, int, bytes]] = []
        self.closed = threading.Event()
        self.link: socket.socket | None = None

    def all(self, name: str) -> list[bytes]:
        """Return every value of a field of the hello."""
        return [value for found, value in self.hello if found == name.encode()]

    def __getitem__(self, name: str) -> str:
        """Return a field of the hello."""
        (value,) = self.all(name)
        return value.decode()

    @property
    def arguments(self) -> list[str]:
        """The shell's argument vector."""
        return [value.decode() for value in self.all("arg")]

    @property
    def stdout(self) -> bytes:
        """What came on descriptor 1 alone."""
        return self.stream(wire.STDOUT)

    @property
    def stderr(self) -> bytes:
        """What came on descriptor 2 alone."""
        return self.stream(wire.STDERR)

    @property
    def merged(self) -> bytes:
        """What came on both."""
        return self.stream(wire.MERGED)

    def stream(self, kind: bytes) -> bytes:
        """Return the bytes of a stream."""
        return b"".join(payload for found, _, payload in list(self.packets) if found == kind)

    def fields(self, kind: bytes) -> dict[str, str]:
        """Return the fields of the one packet of a kind; none: there was none."""
        found = [payload for one, _, payload in list(self.packets) if one == kind]
        if not found:
            return {}
        (payload,) = found
        return {name.decode(): value.decode() for name, value in wire.decode_fields(payload)}

    @property
    def ended(self) -> dict[str, str]:
        """How the shell ended."""
        return self.fields(wire.ENDED)

    @property
    def drained(self) -> dict[str, str]:
        """How the streams ended."""
        return self.fields(wire.DRAINED)


class Recorder:
    """A listener in threads; each command is answered with `go`, unless `silent`.

    Args:
        folder: For its socket and its launchers.
        go: The fields of the answer.
        silent: Answer nothing.
        deaf: Accept, and never read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        go: dict[str, str] | None = None,
        silent: bool = False,
        deaf: bool = False,
    ) -> None:
        self.path = folder / "recorder"
        self.go = {"verdict": "record"} if go is None else go
        self.token = TOKEN
        self.silent = silent
        self.deaf = deaf
        self.commands: list[Heard] = []
        self._folder = folder
        self._new: queue.Queue[Heard] = queue.Queue()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._threads: list[threading.Thread] = []
        self._links: list[socket.socket] = []
        self._stop, self._stopped = socket.socketpair()

    def folder(self, **settings: Any) -> ShimFolder:
        """Return a folder whose launchers speak to this."""
        return ShimFolder(self._folder / "shim", self.path, TOKEN, **settings)

    def command(self, heard: Heard | None = None, *, closed: bool = True) -> Heard:
        """Return the next command, or that one, once all it has to say has come."""
        heard = heard or self._new.get(timeout=PATIENCE)
        if closed:
            assert heard.closed.wait(PATIENCE), "the command's connection is still open"
        return heard

    def __enter__(self) -> Self:
        self._server.bind(str(self.path))
        self._server.listen(100)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Be gone, all at once."""
        self._stop.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        self._server.close()
        for link in self._links:
            link.close()
        self._stopped.close()

    def _start(self, what: Any, *args: Any) -> None:
        thread = threading.Thread(target=what, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self._ready(self._server):
            link, _ = self._server.accept()
            self._links.append(link)
            heard = Heard()
            if not self.deaf:
                self._start(self._listen, link, heard)

    def _ready(self, link: socket.socket) -> bool:
        """Wait until there is something to read; tell whether we are still there."""
        ready, _, _ = select.select([link, self._stopped], [], [])
        return self._stopped not in ready

    def _listen(self, link: socket.socket, heard: Heard) -> None:
        hello = b""
        while self._ready(link):
            try:
                packet = link.recv(wire.MAX_PACKET)
            except ConnectionResetError:
                continue  # it left our answer unread; what it said is still to come
            if not packet:
                heard.closed.set()
                return
            kind, when, payload = wire.decode(packet)
            heard.packets.append((kind, when, payload))
            if kind in (wire.HELLO, wire.HELLO_PIECE):
                hello += payload
            if kind == wire.HELLO:
                heard.hello = wire.decode_fields(hello)
                assert heard["token"] == self.token
                heard.link = link
                if not self.silent:
                    self.answer(heard)
                self.commands.append(heard)
                self._new.put(heard)

    def answer(self, heard: Heard) -> None:
        """Let a command go; `silent` ones go by themselves after a while."""
        assert heard.link
        fields = [(name.encode(), value.encode()) for name, value in self.go.items()]
        heard.link.send(wire.encode(wire.GO, 0, wire.encode_fields(fields)))


def by_hand() -> None:
    """Print launchers to run, then what their commands say, until Ctrl-C."""
    with tempfile.TemporaryDirectory() as name, Recorder(Path(name)) as recorder:
        folder = recorder.folder()
        for shell in ("bash", "dash", "sh"):
            print(folder.launcher("path", f"/bin/{shell}"))  # noqa: T201
        print(folder.launcher("prefix", "/bin/bash"), flush=True)  # noqa: T201
        seen: dict[int, int] = {}
        while True:
            time.sleep(0.05)
            for number, heard in enumerate(recorder.commands):
                for kind, _, payload in heard.packets[seen.get(number, 0) :]:
                    seen[number] = seen.get(number, 0) + 1
                    shown = wire.decode_fields(payload) if kind in b"HEZ" else payload[:200]
                    print(number, kind.decode(), shown, flush=True)  # noqa: T201


if __name__ == "__main__":
    by_hand()
