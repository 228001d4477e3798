"""A worker's task that is a line of shell."""

from __future__ import annotations

from pathlib import Path


class Script:
    """A task; `$1` of its line is the trace."""

    name = "try"

    def __init__(self, line: str) -> None:
        self.line = line
        self.there = False

    def command(self, trace: Path) -> list[str]:
        if not self.line:
            raise ValueError("what is beside it is wrong")
        return ["sh", "-c", self.line, "sh", str(trace)]

    def seen(self, trace: Path) -> str:
        return f"{trace.stat().st_mtime_ns}"

    def is_there(self, _trace: Path) -> bool:
        return self.there
