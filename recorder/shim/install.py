"""What the recorder puts on the disk so that an agent starts our program for a shell: launchers.

A launcher is an executable file that an agent runs instead of a shell. This module writes files; it
starts nothing, and it knows no agent.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

from traceproof.recorder.shim import bundle, elf
from traceproof.recorder.shim.machinecode import CODE

_PROGRAM = "traceproof"
_MARKERS = 50_001, 8_000
_SCRIPT = "#!{python} -IS\n{source}"
_FILE_MODE, _PROGRAM_MODE = 0o644, 0o755


def marker(token: str) -> int:
    """Return the timer slack, in nanoseconds, that marks what a recording has recorded already."""
    least, many = _MARKERS
    return least + 2 * (zlib.crc32(token.encode()) % (many // 2))


class ShimFolder:
    """A folder of launchers, private to one recording.

    A command that is recorded is marked by its timer slack, which its children inherit: launchers
    that see the mark run the shell itself. The mark depends on the token, so that one recording can
    run inside another.

    Args:
        folder: Made if it is not there. Files in it must be executable (no `noexec`), readable for
            the user the agent runs as, and its path short: at most 80 bytes.
        socket: The recorder's socket (see `wire`).
        token: What the recorder takes as proof that a hello comes from this folder.
        originals: What environment variables were before a hook set them to something in this
            folder; none: unset. Commands get them back; what is not named was unset. Paths in this
            folder are taken out of lists such as `PATH` without being named.
        namespace: The mount namespace that shells are to run in, as a path
            (`/proc/<recorder's pid>/ns/mnt`), where launchers are bound over the shells themselves.
        starter: The pid of the process that starts the agent: what it starts itself is the agent,
            however busy the recorder is, and no command.
        machine: What `os.uname` calls this machine; where there is no machine code for it, the
            launchers are Python scripts, which lose the first word of a command line.
    """

    def __init__(
        self,
        folder: Path,
        socket: Path | str,
        token: str,
        *,
        originals: Mapping[str, str | None] | None = None,
        namespace: str | None = None,
        starter: int | None = None,
        machine: str | None = None,
    ) -> None:
        self.folder = folder
        self.native = (machine or os.uname().machine) in CODE
        self.marker = marker(token)
        self._machine = machine or os.uname().machine
        self._socket, self._token = str(socket), token
        self._originals = dict(originals or {})
        self._namespace = namespace or ""
        self._starter = "" if starter is None else str(starter)
        _make_folder(folder)
        self._python = folder / _PROGRAM
        if not self._python.is_symlink():
            self._python.symlink_to(_interpreter())

    def launcher(self, hook: str, real: str, placeholder: str | None = None) -> Path:
        """Return a launcher for a shell, which is made on the first call.

        It is called as the shell is (`/bin/bash`: `bash`), in a folder of its hook, so that this
        folder can stand on a `PATH`.

        Args:
            hook: `path`, `shell`, `namespace`, or `prefix`, which takes a whole command line as
                its one argument and gives it to the shell behind `-c`.
            real: The shell's absolute path.
            placeholder: Where the shell itself is to be found while a launcher covers `real`.

        Raises:
            FileExistsError: the hook has a launcher of this name for another shell.
        """
        path = self.folder / hook / Path(real).name
        program = self.folder / f"{hook}.{path.name}.pyc"
        if path.exists():
            if program.with_suffix(".real").read_text() != real:
                raise FileExistsError(f"{path} is a launcher for another shell than {real}")
            return path
        _make_folder(path.parent)
        settings = {
            "socket": self._socket,
            "token": self._token,
            "namespace": self._namespace,
            "starter": self._starter,
            "folder": str(self.folder),
            "hook": hook,
            "real": real,
            "placeholder": placeholder or "",
            "launcher": str(path),
            "marker": str(self.marker),
            "machine": self._machine if self.native else "",
        }
        originals = {
            os.fsencode(name): None if value is None else os.fsencode(value)
            for name, value in self._originals.items()
        }
        _put(program.with_suffix(".real"), os.fsencode(real))
        if self.native:
            _put(program, bundle.compiled(settings, originals))
            _put(path, self._image(path, program, real, placeholder), _PROGRAM_MODE)
        else:
            source = bundle.source(settings, originals)
            script = _SCRIPT.format(python=self._python, source=source)
            _put(path, script.encode(), _PROGRAM_MODE)
        return path

    def _image(self, path: Path, program: Path, real: str, placeholder: str | None) -> bytes:
        return elf.image(
            self._machine,
            marker=self.marker,
            real=placeholder or real,
            prefix=path.parent.name == "prefix",
            program=(str(self._python), "-I", "-S", str(program)),
            environment=_environment(),
            launcher=str(path),
            itself=real,
            copy=_copy(real) if placeholder else b"",
        )


def _make_folder(path: Path) -> None:
    """Make a folder that other users can look into and not write to, whatever the umask."""
    if not path.is_dir():
        path.mkdir(parents=True, mode=0o700)
        path.chmod(_PROGRAM_MODE)


def _put(path: Path, data: bytes, mode: int = _FILE_MODE) -> None:
    """Write a file that other users can read and not write to, whatever the umask.

    Root's shells run these files, and so do those of whoever root turns into.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)


def _copy(shell: str) -> bytes:
    """Return a shell's file: sandboxes of the agent's may hide all of ours but what covers it."""
    try:
        return Path(shell).read_bytes()
    except OSError:  # one that may only be run
        return b""


def _interpreter() -> str:
    """Return this Python's path, outside any virtual environment: what starts faster."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _environment() -> list[str]:
    """Return the program's environment: nothing of the agent's, and a locale that loads nothing."""
    libraries = os.environ.get("LD_LIBRARY_PATH")
    return ["LC_ALL=C", *([f"LD_LIBRARY_PATH={libraries}"] if libraries else [])]
