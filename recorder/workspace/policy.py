"""Which of the files of a workspace a snapshot looks at: all but those that git ignores.

What the commit or the index knows is looked at even where a pattern fits, as with git. A workspace
that is no repository has the same rules, without git's own files, and leaves out a few folders that
tools fill (`DEFAULTS`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from traceproof.recorder.workspace.ignore import Rules, ignored

DEFAULTS = (
    b"__pycache__/\n*.py[co]\nnode_modules/\n.venv/\nvenv/\n.tox/\n.nox/\n.mypy_cache/\n"
    b".pytest_cache/\n.ruff_cache/\n.gradle/\n.hg/\n.svn/\n"
)
ALL = "all files"


class Policy:
    """Judges paths; `a/b` for a file, `a/b/` for a folder, from the workspace's root."""

    def __init__(self, rule: str = ALL, shared: Sequence[bytes] | None = ()) -> None:
        """Begin with patterns that are for the whole workspace, those that count most first.

        `shared` is None where nothing at all is ignored. `rule` says it in words.
        """
        self.rule = rule
        self._obeys = shared is not None
        self._shared = [Rules(text) for text in shared or ()]
        self._kept: set[str] = set()
        self._folders: set[str] = set()
        self.submodules: set[str] = set()

    @property
    def obeys(self) -> bool:
        """Whether `.gitignore` files count."""
        return self._obeys

    def keep(self, paths: Iterable[str]) -> bool:
        """Look at these paths whatever the patterns say; returns whether any was not so before."""
        new = set(paths) - self._kept
        self._kept |= new
        for path in new:
            above = path.rpartition("/")[0]
            while above and above + "/" not in self._folders:
                self._folders.add(above + "/")
                above = above.rpartition("/")[0]
        return bool(new)

    def hides(self, path: str, stack: Sequence[Rules]) -> bool:
        """Tell whether a path is ignored; its folder is not. `stack` are the `.gitignore`s."""
        if not self._obeys or path in self._kept:
            return False
        names = os.fsencode(path.rstrip("/")).split(b"/")
        return ignored([*stack, *self._shared], names, folder=path.endswith("/"))

    def keeps(self, path: str) -> bool:
        """Tell whether a path is looked at, or a folder for what is in it, though ignored."""
        return path in self._kept or path in self._folders
