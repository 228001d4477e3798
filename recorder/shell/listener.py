"""Listens for the programs that an agent starts: one thread, any number of peers.

Sockets and the thread live here; what is said on them is taken by whoever was named for connections
of their kind. A program waits for its answer `DEADLINE` at most, whatever the recorder does, and
nothing that comes through the socket, or fails to come, ends the thread.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import resource
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from traceproof.recorder.shell.letters import Letters
from traceproof.recorder.shell.link import Link
from traceproof.recorder.shell.peers import PeerFactory
from traceproof.recorder.shim.sockets import LETTERS

log = logging.getLogger(__name__)

LOOK = 0.4
"""Seconds between looks at what has come, so that it gets to disk."""

QUIET = 0.1
"""Seconds for which nobody says anything, at the end, until all is taken to have been said.

Who has more to say than a socket holds is to get the processor in them.
"""

_BACKLOG = 4096
_LEAST, _MOST = 16, 4096
"""Connections at once; more wait to be accepted."""

_AT_ONCE = 64
"""Connections that are accepted before those who are here are looked at again."""

_SLICE = 0.05
"""Seconds given to what has come, before those who wait for an answer are looked at again."""

_PAUSE = 0.1
"""Seconds to wait where nothing works."""

_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_CREDENTIALS = struct.Struct("3i")


class Listener:
    """Takes connections at a path, and beside it what comes from who may not connect.

    Args:
        path: Where the socket is made; its folder should be private.
        token: What a hello must bring.
        kinds: Who takes connections, by the kind that the hello names.
        most: Connections at once; without it half of the descriptors that this process may have.
    """

    def __init__(
        self, path: Path, token: str, kinds: Mapping[str, PeerFactory], *, most: int = 0
    ) -> None:
        """Make the socket; connections wait until `start`.

        Raises:
            OSError: there cannot be a socket at this path.
        """
        self._token = token.encode()
        self._kinds = dict(kinds)
        self._most = most or _affordable()
        self._path = path
        self._socket = _listening(path)
        try:
            self._letters = Letters(path.with_name(path.name + LETTERS))
        except OSError:
            self._socket.close()
            raise
        self._selector = selectors.DefaultSelector()
        self._accepting = False
        self._links: dict[int, Link] = {}
        self._waiting: set[Link] = set()
        """Those who are to say hello, or to be answered."""
        self._turn = 0
        self._looked = 0.0
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._grace = 0.0
        self._thread = threading.Thread(target=self._run, name="traceproof-shells", daemon=True)

    def start(self) -> None:
        """Begin to take connections."""
        self._accept_more()
        self._thread.start()

    def register(self, kind: str, take: PeerFactory) -> None:
        """Let connections of a kind be taken by `take` from now on."""
        self._kinds[kind] = take

    def close(self, grace: float = 1.0) -> None:
        """Take what has been sent by now, for `grace` seconds at most, and end all there is.

        May be called again, which changes nothing.
        """
        self._grace = grace
        with suppress(OSError):  # closed before
            self._wake.close()
        if self._thread.is_alive():
            self._thread.join()
        else:
            self._end()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._go_on():
            pass
        self._selector.unregister(self._woken)
        until = time.monotonic() + self._grace
        while time.monotonic() < until and self._serve(self._ready(QUIET if self._links else 0)):
            pass
        for link in list(self._links.values()):
            self._guard(link, link.end)
            link.close()
        self._links.clear()
        self._end()

    def _end(self) -> None:
        self._selector.close()
        self._woken.close()
        self._socket.close()
        self._letters.close()

    def _go_on(self) -> bool:
        try:
            return self._step()
        except Exception:
            log.exception("listening to programs failed")
            time.sleep(_PAUSE)
            return True

    def _step(self) -> bool:
        """Serve what is ready and do what is due; False when all is to end."""
        ready = self._ready(self._until_due())
        if self._woken.fileno() in ready:
            return False
        self._serve(ready)
        self._keep_time()
        return True

    def _ready(self, timeout: float | None) -> set[int]:
        return {key.fd for key, _ in self._selector.select(timeout)}

    def _until_due(self) -> float | None:
        if not self._links and self._accepting:
            return None
        due = min((link.due for link in self._waiting), default=self._looked + LOOK)
        return max(0.0, min(self._looked + LOOK, due) - time.monotonic())

    def _serve(self, ready: set[int]) -> bool:
        """Take what has come: newcomers first, then who was served longest ago.

        Shells come last, for what is told of a shell's tests is to be known before its end.
        """
        new = self._accept(self._connected) if self._has_come(self._socket, ready) else []
        new += self._accept(self._letters.take) if self._has_come(self._letters, ready) else []
        links = [*new, *(self._links[file] for file in ready if file in self._links)]
        until = time.monotonic() + _SLICE
        for link in sorted(links, key=_order):
            if link.greeted and time.monotonic() > until:
                break
            self._turn += 1
            link.turn = self._turn
            if not self._guard(link, link.read):
                self._drop(link)
        return bool(links)

    def _keep_time(self) -> None:
        now = time.monotonic()
        for link in [link for link in self._waiting if link.due <= now]:
            if not self._guard(link, link.late):
                self._drop(link)
        self._waiting = {link for link in self._waiting if link.due < math.inf}
        if now - self._looked >= LOOK:
            self._looked = now
            for link in list(self._links.values()):
                self._guard(link, link.look)
            self._accept_more()

    def _guard(self, link: Link, action: Callable[[], bool | None]) -> bool | None:
        """Do something about a connection; False, which ends it, where that fails."""
        try:
            return action()
        except ValueError as error:
            why = f"the recorder could not read what came: {error}"
        except Exception:
            log.exception("taking what a program told failed")
            why = "the recorder failed"
        try:
            link.break_off(why)
        except Exception:
            log.exception("ending what a program told failed")
        return False

    # --- connections ------------------------------------------------------------------------------

    def _has_come(self, where: socket.socket | Letters, ready: set[int]) -> bool:
        return self._accepting and where.fileno() in ready

    def _connected(self) -> list[socket.socket]:
        return [self._socket.accept()[0]]

    def _accept(self, take: Callable[[], list[socket.socket]]) -> list[Link]:
        new: list[Link] = []
        for _ in range(_AT_ONCE):
            if len(self._links) >= self._most:
                self._stop_accepting()
                break
            try:
                found = take()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in _FULL:
                    self._stop_accepting()
                    break
                continue
            for sock in found:
                new += self._taken(sock)
        return new

    def _taken(self, sock: socket.socket) -> list[Link]:
        if not _is_ours(sock):
            sock.close()
            return []
        link = Link(sock, self._token, self._kinds)
        try:
            self._selector.register(link, selectors.EVENT_READ)
        except OSError:  # the kernel watches no more of them
            link.close()
            return []
        self._links[link.fileno()] = link
        self._waiting.add(link)
        return [link]

    def _drop(self, link: Link) -> None:
        self._selector.unregister(link)
        del self._links[link.fileno()]
        self._waiting.discard(link)
        link.close()
        self._accept_more()

    def _accept_more(self) -> None:
        if not self._accepting and len(self._links) < self._most:
            self._selector.register(self._socket, selectors.EVENT_READ)
            self._selector.register(self._letters, selectors.EVENT_READ)
            self._accepting = True

    def _stop_accepting(self) -> None:
        """Let who comes wait: there are as many as can be, or no descriptors are left."""
        if self._accepting:
            self._selector.unregister(self._socket)
            self._selector.unregister(self._letters)
            self._accepting = False


def _order(link: Link) -> tuple[bool, bool, int]:
    return link.greeted, link.kind == "shell", link.turn


def _listening(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _is_ours(sock: socket.socket) -> bool:
    """Tell whether the other side runs as the same user, or as root."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    return user in (0, os.geteuid())


def _affordable() -> int:
    """Return how many connections there may be: the proxy needs descriptors as well."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_LEAST, min(_MOST, soft // 2)) if soft > 0 else _MOST
