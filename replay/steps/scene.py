"""A box in which recorded commands are run again: started, prepared, and asked for one command.

What a command's shell is told on its way is the same for every sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from traceproof.recorder.workspace.policy import Policy
from traceproof.recorder.workspace.tree import Leaf
from traceproof.replay.steps.desk import Contents
from traceproof.replay.steps.facts import Command
from traceproof.sandbox.protocol import Box, Image, Result, Sandbox, Setting

_RUN = """\
channel=$1 folder=$2 shell=$3 merged=$4
shift 4
cd -- "$folder" 2>/dev/null || { echo folder >"$channel"; exit 0; }
command -v -- "$shell" >/dev/null 2>&1 || shell=${shell##*/}
command -v -- "$shell" >/dev/null 2>&1 || { echo shell >"$channel"; exit 0; }
echo "$$" >"$channel"
[ -z "$merged" ] || exec 2>&1
exec "$shell" "$@"
"""
"""Says its process id, which is that of the shell to come, before any recorded word is run."""

_PREPARE = """\
git config --global user.name replay && git config --global user.email replay@invalid
[ -z "$2" ] || { git update-ref "refs/heads/$1" "$2" && git symbolic-ref HEAD "refs/heads/$1"; }
"""
_VENV = """\
[ -n "$VIRTUAL_ENV" ] && [ ! -e "$1" ] && mkdir "$1" && ln -s "$VIRTUAL_ENV"/* "$1" || exit
echo "*" >"$1/.gitignore"
"""
"""A virtual environment of the workspace's own, which git ignored, is the one that was built."""

_NAMES_VENV = re.compile(r"(?<![\w.-])(\.?venv|\.?env)/bin/\w")
_MAKES_VENV = re.compile(r"-m venv\b|\bvirtualenv\b|\buv venv\b")
_BRANCH = re.compile(r"[\w.][\w./+-]*")
_LEAST, _MOST, _FACTOR = 60.0, 1800.0, 20.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a session was, and where it is played again."""

    sandbox: Sandbox
    image: Image
    setting: Setting
    start: Mapping[bytes, Leaf]
    """What the workspace held at the start."""
    contents: Contents
    policy: Policy
    algorithm: str = "sha1"
    root: str
    """The recorded path of the workspace."""
    commit: str = ""
    branch: str = ""
    venvs: tuple[str, ...] = ()
    """Folders by which commands name a virtual environment in the workspace."""
    user: str = ""
    """Who recorded."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command went; `missing` says what the box lacks, and then it did not run."""

    result: Result
    pid: int
    missing: str = ""


class Room:
    """One started box."""

    def __init__(self, scene: Scene, stack: ExitStack) -> None:
        """Start it.

        Raises:
            SandboxError: the provider failed.
        """
        self._scene = scene
        self._heard = b""
        self.box: Box = stack.enter_context(
            scene.sandbox.start(scene.image, scene.setting, self._hear)
        )
        branch = scene.branch if _BRANCH.fullmatch(scene.branch) else ""
        commit = scene.commit if branch else ""
        self.box.run(["sh", "-c", _PREPARE, "sh", branch, commit], seconds=_LEAST)
        for venv in scene.venvs:
            self.box.run(["sh", "-c", _VENV, "sh", venv], seconds=_LEAST)
        self.home = self._said('printf %s "$HOME"')
        self.users = frozenset(filter(None, (scene.user, self._said("id -un"))))
        self.moved = self.box.workspace != scene.root

    def run(self, command: Command) -> Ended:
        """Run a recorded command.

        Raises:
            SandboxError: the provider failed.
        """
        self._heard = b""
        merged = "merged" if "output" in command.outputs else ""
        words = ["-c", self._here(command.text)] if command.text else list(command.argv[1:])
        result = self.box.run(
            ["sh", "-c", _RUN, "sh", self.box.channel, self._here(command.folder) or ".",
             command.shell, merged, *words],
            seconds=limit(command),
            environment=self._scene.environment,
        )  # fmt: skip
        said = self._heard.split(b"\n")[0].decode(errors="replace")
        missing = {
            "folder": f"its folder {command.folder} is not in the box",
            "shell": f"{command.shell} is not in the box",
        }
        return Ended(
            result=result,
            pid=int(said) if said.isdecimal() and len(said) < 12 else 0,  # noqa: PLR2004
            missing=missing.get(said, ""),
        )

    def _here(self, text: str) -> str:
        """Return a text with the workspace's path as it is in the box."""
        root = self._scene.root
        if not self.moved or not root:
            return text
        return re.sub(re.escape(root) + r"(?![\w.-])", lambda _: self.box.workspace, text)

    def _said(self, script: str) -> str:
        said = self.box.run(["sh", "-c", script], seconds=_LEAST).stdout
        return said.decode(errors="replace").strip()

    def _hear(self, report: bytes) -> None:
        if len(self._heard) < 64:  # noqa: PLR2004 - the first line is all that counts
            self._heard += report[:64]


def venvs(texts: Iterable[str], known: Iterable[bytes]) -> tuple[str, ...]:
    """Return the folders by which commands name a virtual environment that is not recorded.

    Where a command makes one there are none: it will be made again.
    """
    scripts = list(texts)
    if any(map(_MAKES_VENV.search, scripts)):
        return ()
    named = {found[1] for text in scripts for found in _NAMES_VENV.finditer(text)}
    there = {path.split(b"/", 1)[0].decode(errors="replace") for path in known}
    return tuple(sorted(named - there))


def limit(command: Command) -> float:
    """Return the seconds that a command may take: many times what it took."""
    took = (command.ended - command.started) / 1e9
    return min(max(_LEAST, took * _FACTOR), _MOST)
