"""What is recorded of the machine while an agent works: the commands its shells run.

It opens and closes the parts, and knows in which order. A part that cannot be had costs its facts,
never the agent: what is missing is told.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from traceproof.hooks import OFF, Plan, plan
from traceproof.recorder import agents, semconv
from traceproof.recorder.commandledger import OpenCommand
from traceproof.recorder.namespaces import Cover, Entry
from traceproof.recorder.runfolder import MOUNTS, RunFolder
from traceproof.recorder.session import PROMPT_EVENT, Session
from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.shell.listener import Listener
from traceproof.recorder.shell.peers import RECORD
from traceproof.recorder.shell.running import ShellContext
from traceproof.recorder.shell.testwatch import TestWatch
from traceproof.recorder.shim.install import ShimFolder, marker
from traceproof.recorder.span import Span
from traceproof.settings import Settings

_LAST = 5.0
"""Seconds at most in which what programs have to say at the end is taken in.

Commands that have ended may have much of it: the agent has their output before we do.
"""


class Machine:
    """The parts of one recording, from before the agent starts to after it has ended."""

    def __init__(
        self, settings: Settings, context: ShellContext[OpenCommand], session: Session
    ) -> None:
        self._settings = settings
        self._session = session
        self._context = context
        self._plan = Plan(unhooked=(OFF,))
        self._folder: RunFolder | None = None
        self._listener: Listener | None = None
        self.variables: dict[str, str] = {}
        """What the agent's environment gains."""
        self.entry: Entry | None = None
        """The namespace to start the agent in."""
        self.marker = 0
        """The mark of what needs no recording by shells' hooks; 0 where there are none."""
        self.lost: list[str] = []
        """What is not recorded though it should be, one line each."""
        context.admits = self.admits

    def open(self, originals: Mapping[str, str | None] | None = None) -> None:
        """Start what must be there before the agent.

        `originals` is what variables were that others of us have set for the agent: commands get
        them back.

        Raises:
            OSError: something cannot be had, and then nothing is to be started.
        """
        if not self._settings.shell:
            return
        settings = self._settings
        self._context.go = (*RECORD, *map(_put_back, (originals or {}).items()))
        self._plan = plan(
            settings.agent,
            settings.environment,
            user_namespace=settings.user_namespace,
        )
        try:
            self._hook()
        except OSError as error:
            if settings.on_failure == "closed":
                raise
            self._refuse(f"shell commands are not recorded: {error}")
            self.close()

    def entered(self, refusal: str) -> None:
        """Take note of how the agent started: `refusal` is why it is not in its namespace."""
        if refusal:
            self._refuse(f"shell commands are not recorded: no namespace: {refusal}")

    def describe(self, root: Span) -> None:
        """Put on the root span which shells are hooked."""
        root.attributes[semconv.SHELL_HOOKS] = self._plan.hooks
        if self._plan.unhooked:
            root.attributes[semconv.SHELL_UNHOOKED] = list(self._plan.unhooked)

    def admits(self, start: CommandStart) -> bool:
        """Tell whether a shell is a command of the agent's, and not its own launch."""
        if start.ppid == os.getpid() or _is_starter(start.ppid):
            return False
        words = _words(start)
        started = agents.recognise(words)
        ours = self._settings.agent
        if started is not agents.AGENTS["generic"]:
            prompted = any(event.name == PROMPT_EVENT for event in self._session.root.events)
            return prompted if started is ours else ours is not agents.AGENTS["generic"]
        name = agents.name_of(started, words)
        return name != self._settings.display_name or name in _SHELLS

    def close(self) -> None:
        """End what listens; commands that still run are told as such."""
        if self._listener is not None:
            self._listener.close(_LAST)
            self._listener = None
            if self._context.lost:
                self.lost.append(f"{self._context.lost} bytes of commands' output are missing")
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _refuse(self, why: str) -> None:
        self.lost.append(why)
        self._plan = Plan(unhooked=(why,))
        self.variables, self.entry = {}, None

    def _hook(self) -> None:
        chosen = self._plan
        self._folder = RunFolder(passable=chosen.kind == "mount")
        folder, token = self._folder.path, secrets.token_hex(16)
        tests = TestWatch(folder / "socket", token, self._context.redactor)
        self._context.watch = tests.begin
        self._listener = Listener(
            folder / "socket", token, {"shell": self._context.take, "tests": tests.take}
        )
        environment = self._settings.environment
        shim = partial(
            ShimFolder,
            socket=folder / "socket",
            token=token,
            originals=_originals(chosen, environment),
            starter=os.getpid(),
            namespace=f"/proc/{os.getpid()}/ns/mnt" if chosen.kind == "mount" else None,
        )
        if chosen.kind:
            self.entry = Entry(chosen.kind, str(folder), _covers(shim, folder, chosen.covered))
        else:
            self.variables = _variables(shim(folder), chosen, environment)
        self._listener.start()
        self.marker = marker(token)


_STARTERS = frozenset({b"npx", b"npx-cli.js", b"bunx"})


def _put_back(variable: tuple[str, str | None]) -> tuple[bytes, bytes]:
    """Return what tells a command to have a variable as it was."""
    name, value = variable
    return (f"{'unset' if value is None else 'set'}.{name}".encode(), (value or "").encode())


_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish"})


def _covers(
    shim: Callable[[Path], ShimFolder], folder: Path, covered: tuple[str, ...]
) -> tuple[Cover, ...]:
    """Make a launcher for each shell; a name that two shells have gets a folder for each."""
    places = folder / "placeholders"
    places.mkdir(mode=0o700)
    places.chmod(0o711)  # a shell of another user is found there, whatever our umask
    covers, named = [], Counter[str]()
    for number, shell in enumerate(covered):
        placeholder = places / str(number)
        placeholder.touch(mode=0o600)
        name = Path(shell).name
        own = folder / str(named[name]) if named[name] else folder
        named[name] += 1
        launcher = shim(own).launcher("namespace", shell, str(placeholder))
        covers.append(Cover(shell, str(placeholder), str(launcher)))
        if own != folder:
            (own / MOUNTS).symlink_to(folder / MOUNTS)
    return tuple(covers)


def _originals(chosen: Plan, env: Mapping[str, str]) -> dict[str, str | None]:
    """Return what commands are to see; agents tell them in `SHELL` which shell was chosen."""
    own = {hook.variable: env.get(hook.variable) for hook in chosen.variables}
    return {"SHELL": chosen.variables[0].shell, **own} if own else {}


def _variables(shim: ShimFolder, chosen: Plan, env: Mapping[str, str]) -> dict[str, str]:
    variables = {}
    for hook in chosen.variables:
        if hook.variable == "PATH":
            folder = shim.launcher("path", hook.shell).parent
            variables["PATH"] = f"{folder}{os.pathsep}{env.get('PATH', os.defpath)}"
        else:
            variables[hook.variable] = str(shim.launcher("shell", hook.shell))
    return variables


def _is_starter(pid: int) -> bool:
    """Tell whether a process starts packages, which it does by a shell: an agent, an MCP server."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended
        return False
    names = {word.rpartition(b"/")[2] for word in words[:3]}
    return words[0].startswith(b"npm exec ") or bool(names & _STARTERS)


def _words(start: CommandStart) -> list[str]:
    """Return the command line that a shell was started for, as far as it is one."""
    if not start.script:
        return list(start.args[1:])
    try:
        return shlex.split(start.script)
    except ValueError:
        return []
