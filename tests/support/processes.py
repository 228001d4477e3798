"""The processes of this machine, looked for by what is on their command lines."""

from __future__ import annotations

from pathlib import Path


def with_text(text: str) -> list[int]:
    """The pids of those with a text in their command line; zombies have none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
