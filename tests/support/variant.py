"""One way to run an agent, and the story that all of them play.

The story: the agent writes `hello.py`, runs it in its shell together with a command that prints a
secret, and hears the secret again from the model in many small pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from support.offline import Offline
from support.secrets import hidden
from support.stage import Stage
from support.trace import Hiding, Recorded
from traceproof.proxy.testing import Say, Scene, Script, Think, Turn
from traceproof.proxy.testing.faults import AnyFault
from traceproof.proxy.testing.parts import AnyPart
from traceproof.proxy.testing.script import Turns

HELLO = "hello.py"
PROGRAM = 'print("hi")\n'
PROMPT = "Write hello.py and run it."
WROTE = "I will write it — naïve ✓ 😀."
TOKEN = "ghp_fakeFakeFAKEfakeFakeFAKEfake0Zx9Yw8"
"""Stands in GITHUB_TOKEN, and in a file that the shell command prints."""
SHOW = f"python3 {HELLO} && cat .git/token"
REPEAT = Say(f"It says hi, and your token is {TOKEN}.")

Command = list[str | Path]


@dataclass(frozen=True)
class Outcome:
    """What an agent does with a turn whose first answer is broken, and what the trace says of it.

    `tries` counts the broken one. `state` and `error` are the trace's words for it. A session that
    is not `finished` has no turn after the broken one.
    """

    tries: int = 2
    code: int = 0
    finished: bool = True
    state: str = "cut"
    error: str = ""


def nothing(_stage: Stage) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run an agent: a command, its settings, its tools."""

    name: str
    """Of the variant; names the test."""
    agent: str
    """The adapter's name."""
    version: str
    provider: str
    """`gen_ai.provider.name` of its calls."""
    key: str
    """The environment variable (also a made-up name) of its credential."""
    command: Callable[[Stage, str], Command]
    """The command line for a prompt."""
    write: Callable[[Path, str], AnyPart]
    """The tool call that makes a file, by its absolute path."""
    shell: Callable[[str], AnyPart]
    """The tool call that runs a shell command in the work folder."""
    finish: Sequence[AnyPart] = (REPEAT,)
    """The last turn."""
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Stage], None] = nothing
    """Writes settings into HOME, changes `stage.env`."""
    side: Sequence[Scene] = ()
    """What answers its side calls."""
    tell: Callable[[Variant, Stage], list[Turn]] | None = None
    """The story's turns, where they are not the usual three."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments for `ScriptedModel`."""
    tools: bool = True
    """Whether what it does are tool calls of the API, with results."""
    streams: bool = True
    """Whether its answers come as streams."""
    gzip: str = "gzip"
    """The coding of an answer that may be encoded, as the trace tells it."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """By the names in `test_fault_matrix.py`: error, drop, overloaded."""
    modes: Sequence[str] = ("forward", "reverse")
    elsewhere: frozenset[str] = frozenset()
    """Hosts that it asks for beside the model's."""

    def turns(self, stage: Stage) -> list[Turn]:
        """Return the story: a file is written, a command is run, the end."""
        if self.tell is not None:
            return self.tell(self, stage)
        return [
            Turn([Say(WROTE), self.write(stage.workdir / HELLO, PROGRAM)]),
            Turn([Say("Now I run it, to see whether it says what it should."), self.shell(SHOW)]),
            Turn(self.finish, piece=3),
        ]

    def secrets(self, stage: Stage) -> dict[str, str]:
        """Return the secrets of its session by their names."""
        return {"GITHUB_TOKEN": TOKEN, self.key: stage.env[self.key]}

    def hide(self, stage: Stage) -> Hiding:
        """Return what puts masks where its secrets are."""
        return partial(hidden, secrets=self.secrets(stage))

    def script(self, turns: Turns) -> Script:
        """Return a script of the main conversation; its side calls are answered too."""
        return Script([*self.side, Scene(turns, name="main")])

    def record(
        self, stage: Stage, turns: Turns, mode: str = "forward", options: Sequence[str] = ()
    ) -> Recorded:
        """Record a session with these turns of the main conversation."""
        return self.play(stage, self.script(turns), mode, options)

    def play(
        self, stage: Stage, script: Script, mode: str = "forward", options: Sequence[str] = ()
    ) -> Recorded:
        """Record a session with the story's prompt and any script."""
        (stage.workdir / ".git" / "token").write_text(TOKEN)
        stage.env |= {"GITHUB_TOKEN": TOKEN, **self.env}
        self.prepare(stage)
        with Offline() as offline:
            stage.env |= offline.variables
            done = stage.record(
                script,
                *self.command(stage, PROMPT),
                options=["--mode", mode, "--summary", "summary.json", *options],
                model=self.model,
            )
        done.elsewhere = offline.asked
        return done


def with_faults(turn: Turn, *faults: AnyFault) -> Turn:
    return msgspec.structs.replace(turn, faults=[*turn.faults, *faults])


def with_thought(turn: Turn, thought: str) -> Turn:
    return msgspec.structs.replace(turn, parts=[Think(thought), *turn.parts])
