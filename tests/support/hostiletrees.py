"""Commits that git makes only when it is told to look away: paths that no checkout would write."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

_WHO = "a <a@b.example> 1600000000 +0000"


class HostileTrees:
    """A repository, and commits of any trees in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "-q", "-b", "main")

    def commit(self, path: str, content: str, *, parent: str = "") -> str:
        """Commit one file; its path may be anything. A parent need not be there."""
        *above, name = path.split("/")
        made = self._tree([(b"100644", name, self._object("blob", content.encode()))])
        for folder in reversed(above):
            made = self._tree([(b"40000", folder, made)])
        born = f"parent {parent}\n" if parent else ""
        text = f"tree {made}\n{born}author {_WHO}\ncommitter {_WHO}\n\nx\n"
        return self._object("commit", text.encode())

    def configure(self, name: str, value: str) -> None:
        """Set something in the repository's own configuration."""
        self._git("config", name, value)

    def tag(self, name: str, commit: str) -> None:
        """Put a tag at a commit."""
        self._git("update-ref", f"refs/tags/{name}", commit)

    def _tree(self, rows: Iterable[tuple[bytes, str, str]]) -> str:
        entries = [b"%s %s\0%s" % (m, os.fsencode(n), bytes.fromhex(oid)) for m, n, oid in rows]
        return self._object("tree", b"".join(entries))

    def _object(self, kind: str, body: bytes) -> str:
        return self._git("hash-object", "-w", "--literally", "-t", kind, "--stdin", body=body)

    def _git(self, *arguments: str, body: bytes = b"") -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, input=body, capture_output=True, check=True
        ).stdout.decode().strip()  # fmt: skip
