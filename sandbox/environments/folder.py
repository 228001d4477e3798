"""A workshop that is a folder of this machine, for environments of the `local` backend.

Its steps run as whoever runs traceproof: nothing stands between a build and this machine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from traceproof.sandbox.environments import indexes, network
from traceproof.sandbox.environments.workshop import Done
from traceproof.sandbox.errors import SandboxError

_HANDED_ON: Final = ("PATH", "HOME", "LANG", "USER", "LOGNAME")


class Folder:
    """A private folder: the workspace, a virtual environment and a place for the steps' files.

    Args:
        root: the folder; it is made.
        uv: uv's path; None where it is not installed.
        cache: where uv keeps what it has downloaded.
        seconds: the time that a step may take.
    """

    def __init__(self, root: Path, uv: Path | None, cache: Path, seconds: float) -> None:
        self.uv = str(uv or "")
        self.workspace = str(root / "workspace")
        self.venv = str(root / "venv")
        self.scratch = str(root / "scratch")
        self._seconds = seconds
        temporary = root / "scratch" / "tmp"  # builders leave files there
        self._environment = {"UV_CACHE_DIR": str(cache), "UV_PYTHON_DOWNLOADS": "never"}
        self._environment |= {"TMPDIR": str(temporary)}
        self._environment |= indexes.variables(os.environ, Path.home()) | network.for_local()
        for folder in (Path(self.workspace), temporary):
            folder.mkdir(parents=True)

    def attempt(
        self, argv: Sequence[str], *, cwd: str = "", environment: Mapping[str, str] = {}
    ) -> Done:
        """Run a command; see `Workshop`."""
        kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        try:
            started = subprocess.Popen(
                argv,
                cwd=cwd or self.scratch,
                env=kept | self._environment | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            return Done(127, "", f"{argv[0]}: command not found")
        with started:
            stdout, stderr = self._ended(started, argv[0])
        heard = stdout.decode("utf-8", "replace")
        return Done(started.returncode, heard, heard + stderr.decode("utf-8", "replace"))

    def _ended(self, started: subprocess.Popen[bytes], name: str) -> tuple[bytes, bytes]:
        """Wait for the end; whatever happens meanwhile, nothing of the command's goes on."""
        try:
            return started.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            message = f"a build step took over {self._seconds:.0f} s: {name}"
            raise SandboxError(message) from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Make a file, and the folders above it."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
