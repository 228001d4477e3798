"""Which shells there are on this machine, and by which variables they are reached.

Nothing is run. What is a program of many names (busybox) is no shell here: to put another program
in its place would replace all of them.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from traceproof.recorder.agents.base import ShellHook

_NAMES = ("sh", "bash", "dash", "zsh", "ksh", "fish")
_SHELL = re.compile(r"(ba|da|z|[km]|mk|a|ya|t?c|fi)?sh([-.]?\d[\d.]*)?")
"""What a shell is called once links are followed: `bash`, `zsh5`, `ksh93`, `mksh`."""

_LIST = Path("/etc/shells")
_FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin")


def preferred(env: Mapping[str, str]) -> list[ShellHook]:
    """Return the variable `SHELL`, with the user's own shell; without one, with what is usual."""
    found = [env.get("SHELL", ""), shutil.which("bash", path=_path(env)) or "", "/bin/sh"]
    shell = next((path for path in found if _runs(Path(path))), "")
    return [ShellHook("SHELL", shell)] if shell else []


def on_path(env: Mapping[str, str]) -> list[ShellHook]:
    """Return `PATH` for each shell that stands there."""
    found = (shutil.which(name, path=_path(env)) for name in _NAMES)
    return [ShellHook("PATH", str(Path(path).absolute())) for path in found if path]


def installed(env: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Return the shells by their real paths, and those that are programs of many names."""
    real = dict.fromkeys(path.resolve() for path in _candidates(env) if _runs(path))
    shells = [path for path in real if _SHELL.fullmatch(path.name)]
    return shells, [path for path in real if path not in shells]


def _candidates(env: Mapping[str, str]) -> Iterator[Path]:
    folders = dict.fromkeys([*_FOLDERS, *_path(env).split(os.pathsep)])
    yield from (Path(folder, name) for folder in folders if folder for name in _NAMES)
    yield from (Path(env[name]) for name in ("SHELL", "CLAUDE_CODE_SHELL") if env.get(name))
    yield from _listed()


def _listed() -> Iterable[Path]:
    """Yield the shells of /etc/shells and of the passwd entry; screen and tmux are listed too."""
    try:
        lines = _LIST.read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    try:
        lines.append(pwd.getpwuid(os.getuid()).pw_shell)
    except KeyError:
        lines.append("")
    return [path for path in map(Path, lines) if path.is_absolute() and "sh" in path.name]


def _path(env: Mapping[str, str]) -> str:
    return env.get("PATH", os.defpath)


def _runs(path: Path) -> bool:
    return path.is_absolute() and path.is_file() and os.access(path, os.X_OK)
