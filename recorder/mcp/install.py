"""What the recorder puts on the disk so that an agent starts the tee before a server.

It writes one small file, which holds no secret but the token of its own folder; it starts nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PARENT = Path(__file__).resolve().parent.parent.parent

_SOURCE = """\
import sys
package = sys.modules["traceproof"] = type(sys)("traceproof")
package.__path__ = [{parent!r}]
from traceproof.recorder.mcp.tee import main
main({settings!r}, sys.argv[1:])
"""
"""What the tee imports is found beside this file; of the package around it nothing is wanted."""


class Tee:
    """The tee of one recording, as a file that a bare Python runs."""

    def __init__(self, folder: Path, socket: Path | str, token: str) -> None:
        """Choose where it is put; `write` does.

        Args:
            folder: Private to the recording; made if it is not there.
            socket: The recorder's socket.
            token: What the recorder takes as proof that a hello comes from this folder.
        """
        self.path = folder / "tee.py"
        self._settings = {"socket": str(socket), "token": token}

    def write(self, restore: Mapping[str, str | None] | None = None, marker: int = 0) -> None:
        """Put it on the disk.

        Args:
            restore: Variables that only the recorder has set for the agent, and what they were
                before (None: not there); servers get them so.
            marker: The timer slack by which the hooks of shells tell what is recorded already; 0
                for none.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            **self._settings,
            "restore": [list(pair) for pair in (restore or {}).items()],
            "marker": marker,
        }
        text = _SOURCE.format(parent=str(_PARENT), settings=settings)
        self.path.touch(mode=0o600)
        self.path.write_text(text)

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """Return the command line that starts a server behind the tee.

        Args:
            name: The server's, in the agent's configuration.
            argv: The server's own command line.
        """
        return [*self._python(), name, "--", *argv]

    def line(self, line: str) -> list[str]:
        """Return the command line for a server that is given as a shell's command line."""
        return [*self._python(), "--line", line]

    def _python(self) -> list[str]:
        # not the venv's: without `site` it is the same, and starts sooner
        base: str = getattr(sys, "_base_executable", sys.executable)
        return [base, "-I", "-S", str(self.path)]
