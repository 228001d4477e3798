"""Files that exist in memory alone, for as long as the recorder runs.

They may hold credentials of the user's own settings, so they must not be left on a disk. The agent
reads them by a path of this process, which its own user (and root) may do.
"""

from __future__ import annotations

import os


class HeldFiles:
    """Some files in memory."""

    def __init__(self) -> None:
        self._files: list[int] = []

    def hold(self, data: bytes) -> str:
        """Keep a file and return its path.

        Raises:
            OSError: the system has no such files.
        """
        file = os.memfd_create("traceproof")
        self._files.append(file)
        os.fchmod(file, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        return f"/proc/{os.getpid()}/fd/{file}"

    def close(self) -> None:
        """Forget them."""
        while self._files:
            os.close(self._files.pop())
