"""A connection that an HTTP answer has become: bytes either way, until one side ends it.

docker-py hands out the bare socket, and what came in one packet with the answer's head is lost to
it (docker-py 3332); its client's timeout ends long streams (2096). Here the reader's buffer is
emptied first, and time is the caller's.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from traceproof.sandbox.docker.client import SECONDS, failures

CHUNK = 1 << 18


class Stream:
    """Both directions of a hijacked connection. One thread reads; others may write or close."""

    def __init__(self, client: Any, path: str, body: Mapping[str, object] | None = None) -> None:
        url = f"{client.base_url}/v{client.api_version}{path}"
        upgrade = {"Connection": "Upgrade", "Upgrade": "tcp"}
        with failures("open a stream to the engine"):
            self._answer = client.post(
                url, json=body, headers=upgrade, stream=True, timeout=SECONDS
            )
            client._raise_for_status(self._answer)  # noqa: SLF001 - turns answers into APIError
            self._reader = self._answer.raw._fp.fp  # noqa: SLF001 - as docker-py itself does
            self._socket: socket.socket = self._reader.raw._sock  # noqa: SLF001
            self._socket.setblocking(False)
            self._early = bytes(self._reader.read1(CHUNK) or b"")
        self._writing = threading.Lock()

    def read(self, seconds: float | None) -> bytes | None:
        """Return what has arrived: nothing at the end, None where nothing came in time."""
        if self._early:
            data, self._early = self._early, b""
            return data
        if not self._wait(select.POLLIN, seconds):
            return None
        try:
            return self._socket.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # reset, or closed by `close`: either way it is the end
            return b""

    def write_some(self, data: memoryview) -> int:
        """Write as much as can be written at once; 0 if nothing can."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def write(self, data: bytes, seconds: float = SECONDS) -> None:
        """Write all of it.

        Raises:
            OSError: the other side has closed it, or takes nothing.
        """
        with self._writing:
            rest = memoryview(data)
            while rest:
                if not self._wait(select.POLLOUT, seconds):
                    raise TimeoutError("the engine takes nothing")
                rest = rest[self.write_some(rest) :]

    def wait_either(self, seconds: float | None) -> None:
        """Wait until something can be read or written."""
        self._wait(select.POLLIN | select.POLLOUT, seconds)

    def end_input(self) -> None:
        """Say that nothing more will be written."""
        self._socket.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        """End both directions; a reader that waits wakes up."""
        with suppress(OSError):  # it has ended
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give it back. Nobody may be reading: the number of a descriptor is used again."""
        self.shut()
        self._answer.close()
        self._reader.close()
        self._socket.close()

    def _wait(self, what: int, seconds: float | None) -> bool:
        poll = select.poll()
        poll.register(self._socket, what)
        return bool(poll.poll(None if seconds is None else max(0.0, seconds) * 1000))
