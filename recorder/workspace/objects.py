"""Reading contents of a repository's objects, byte for byte, one after the other.

Nothing is written, and no filter, hook or remote has a say: see `traceproof.recorder.git`.
"""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Self

from traceproof.recorder.git import Git
from traceproof.recorder.workspace.tree import blob_id


class Objects:
    """A conversation with `git cat-file`; use it as a context manager."""

    def __init__(self, git: Git, algorithm: str = "sha1") -> None:
        """Read from the repository that `git` is for."""
        self._git = git
        self._algorithm = algorithm
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def read(self, oid: str) -> bytes:
        """Return the content of a file by its hash.

        Raises:
            LookupError: the repository does not have it.
            GitError: git cannot be run.
        """
        process = self._process = self._process or self._git.start("cat-file", "--batch")
        assert process.stdin and process.stdout  # noqa: S101, PT018 - pipes were asked for
        process.stdin.write(oid.encode() + b"\n")
        process.stdin.flush()
        fields = process.stdout.readline().split()
        if len(fields) != 3 or fields[1] != b"blob":  # noqa: PLR2004 - hash, kind, size
            raise LookupError(f"the repository does not have {oid}")
        data = process.stdout.read(int(fields[2]))
        process.stdout.read(1)
        if blob_id(self._algorithm, data) != oid:
            raise LookupError(f"the repository has {oid}, but damaged")
        return data
