"""Finding the secrets of a working tree: in the files that are made to hold some, and in a patch.

Files that git ignores count too: nothing of them is stored, but the agent reads them. A tree may be
of any size, so the search goes from the top down and ends when it has looked at enough.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from traceproof.recorder.secret_files import Reader, from_private_key, reader_for
from traceproof.recorder.secrets import Secret

MOST_ENTRIES = 20_000
MOST_FILES = 100
MOST_BYTES = 256 << 10
"""Of one file; credentials are short."""

_SKIPPED = {
    ".git", ".hg", ".mypy_cache", ".tox", ".venv", "__pycache__", "node_modules", "site-packages",
    "venv",
}  # fmt: skip

_SECTION = re.compile(rb'^diff --git .*/([^/\n]+?)"?$', re.MULTILINE)


def from_tree(root: Path) -> Iterator[Secret]:
    """Find the secrets of a folder's credential files, those nearest to the top first.

    The many lines of private keys come last.
    """
    readable = ((path, reader) for path in _files(root) if (reader := reader_for(path)))
    found = list(islice(readable, MOST_FILES))
    for path, reader in sorted(found, key=lambda each: each[1] is from_private_key):
        yield from reader(_text(Path(path)))


def _files(root: Path) -> Iterator[str]:
    waiting, entries = deque([str(root)]), 0
    while waiting and entries < MOST_ENTRIES:
        for entry in _entries(waiting.popleft()):
            entries += 1
            if not entry.is_dir(follow_symlinks=False):
                yield entry.path
            elif entry.name not in _SKIPPED:
                waiting.append(entry.path)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """List a folder; one that is gone, or not ours to read, is empty to us."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _text(path: Path) -> str:
    """Read a file, or a link to one; a pipe is not waited for."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def from_patch(patch: bytes) -> Iterator[Secret]:
    """Find the secrets of credential files in a patch, what was there before and what is now."""
    sections = list(_SECTION.finditer(patch))
    ends = [section.start() for section in sections[1:]] + [len(patch)]
    for section, end in zip(sections, ends, strict=False):
        if reader := reader_for(section[1].decode(errors="replace")):
            yield from _from_section(reader, patch[section.end() : end])


def _from_section(reader: Reader, section: bytes) -> Iterator[Secret]:
    """Read both sides of it, each as a file of which parts are missing."""
    lines = section.decode("utf-8", "replace").splitlines()
    for signs in (" -", " +"):
        yield from reader("\n".join(line[1:] for line in lines if line[:1] and line[0] in signs))
