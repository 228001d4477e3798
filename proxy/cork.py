"""A stream writer that sends what it is given in one go, once it is told to.

mitmproxy writes each chunk and each TLS record by itself. When many chunks arrive in one read, one
system call for all of them costs a fraction of one for each; when one arrives, nothing changes.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Corked:
    """Stands in for an `asyncio.StreamWriter`; what it does not name goes to that writer."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes to be sent at the next `uncork`."""
        self._waiting.append(data)

    def uncork(self) -> None:
        """Send what waits."""
        if self._waiting:
            data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
            self._waiting.clear()
            self._writer.write(data)

    def write_eof(self) -> None:
        """Send what waits, and close the sending side."""
        self.uncork()
        self._writer.write_eof()

    def close(self) -> None:
        """Send what waits, and close."""
        if not self._writer.is_closing():
            self.uncork()
        self._writer.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)
