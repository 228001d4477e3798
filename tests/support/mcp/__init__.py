"""MCP servers that are nobody's: over stdio and over HTTP, without a library, as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STDIO, HTTP = HERE / "overstdio.py", HERE / "overhttp.py"
TOKEN = "tok-of-the-sums-0123456789"


class Log:
    """What a server wrote down: what it was started with, and what it was sent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    @property
    def started(self) -> dict[str, Any]:
        """How a server over stdio was started."""
        return self.lines[0]

    @property
    def got(self) -> list[dict[str, Any]]:
        """The messages."""
        return [line["got"] for line in self.lines if "got" in line]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The parameters of its tool calls."""
        return [each["params"] for each in self.got if each.get("method") == "tools/call"]


def argv(log: Path, *more: str) -> list[str]:
    """Return the command line of the server over stdio."""
    return [sys.executable, str(STDIO), "--log", str(log), *more]


@contextmanager
def over_http(log: Path, *options: str) -> Iterator[int]:
    """Run the server over HTTP; gives its port."""
    process = subprocess.Popen(
        [sys.executable, HTTP, "--log", log, *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
