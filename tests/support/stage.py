"""A place where real agents are recorded against a scripted model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from support.trace import Ended, Recorded, Trace
from traceproof.proxy.testing import Scene, Script, ScriptedModel, Turn, scenarios
from traceproof.proxy.testing.faults import AnyFault
from traceproof.proxy.testing.script import Turns
from traceproof.recorder.store import Store

PATIENCE = 100
"""Seconds for one recording; a machine that does much else takes several times its usual."""
HOSTS = (
    "api.anthropic.com",
    "api.openai.com",
    "chatgpt.com",
    "generativelanguage.googleapis.com",
    "aiplatform.googleapis.com",
)
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
AIDER_QUIET = tuple(
    f"--no-{name}"
    for name in (
        "fancy-input",
        "pretty",
        "check-update",
        "gitignore",
        "show-release-notes",
        "show-model-warnings",
    )
)


class Stage:
    """A git repository to work in, with a store of its own, and an environment of fakes alone."""

    def __init__(self, folder: Path, env: dict[str, str], agent: Callable[[str], Path]) -> None:
        self.workdir = folder / "work"
        self.env = env
        self.store = self.workdir / ".traceproof"
        self.agent = agent
        self.before: tuple[str, ...] = ()
        """What recordings are started by: `setpriv`, for instance."""
        self._started: list[subprocess.Popen] = []
        self.workdir.mkdir()
        (self.workdir / "README").write_text("A place to work in.\n")
        name = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        for words in (["init", "-q", "-b", "main"], ["add", "."], [*name, "commit", "-qm", "one"]):
            self.run("git", *words, check=True)

    def run(self, *command: str | Path, check: bool = False, **more: Any) -> Ended[bytes]:
        """Run a command in the work folder."""
        return subprocess.run(
            command,
            cwd=self.workdir,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=check,
            **more,
        )

    def traceproof(self, *arguments: str | Path) -> Ended[bytes]:
        """Run a command of traceproof."""
        return self.run(*TRACEPROOF, *arguments)

    def start(self, model: ScriptedModel, *command: str | Path, **more: Any) -> subprocess.Popen:
        """Start a recording; `options` go before the agent's command, `before` before all."""
        options = [option for host in HOSTS for option in ("--route", f"{host}={model.url}")]
        process = subprocess.Popen(
            [
                *more.pop("before", self.before),
                *TRACEPROOF,
                "record",
                *options,
                *more.pop("options", ()),
                "--",
                *command,
            ],
            cwd=more.pop("cwd", self.workdir),
            env=self.env,
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=more.pop("stderr", subprocess.PIPE),
            start_new_session=True,
            **more,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End the recordings that a failed test left behind, and their agents."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def record(
        self,
        script: Script | Turns,
        *command: str | Path,
        options: Sequence[str] = (),
        model: Mapping[str, Any] | None = None,
    ) -> Recorded:
        """Record a command from its start to its end; `model` are arguments of the model."""
        before = set(self.traces())
        with ScriptedModel(script, **(model or {})) as opened:
            ended = self.finish(self.start(opened, *command, options=options))
        made = set(self.traces()) - before
        assert len(made) == 1, ended.stderr.decode()
        (path,) = made
        return Recorded(path, ended, opened.calls)

    def finish(self, process: subprocess.Popen) -> Ended[bytes]:
        """Wait for a recording to end."""
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return Ended(process.args, process.returncode, stdout, stderr)

    def traces(self) -> list[Path]:
        return Store(self.store).paths()

    def trace(self) -> Trace:
        """Return the only trace there is."""
        (path,) = self.traces()
        return self.read(path)

    def read(self, path: Path) -> Trace:
        return Trace(path)

    def claude(self, *prompt: str, **more: str) -> list[str | Path]:
        """Return a command line of Claude Code; `more` are further options."""
        options = {"output-format": "json", "allowedTools": "Bash Write Read Edit", **more}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        prompts = prompt or ("Fix the bug.",)
        model = ("--model", "claude-sonnet-4-5")
        return [self.agent("claude"), "-p", *words, *model, "--", *prompts]

    def hello(self, faults: Sequence[Sequence[AnyFault]]) -> Script:
        """Return `scenarios.aider_hello` with faults for each of its three turns."""
        commit, main = scenarios.aider_hello().scenes
        assert not callable(main.turns)
        turns = [
            msgspec.structs.replace(turn, faults=found)
            for turn, found in zip(main.turns, faults, strict=True)
            if isinstance(turn, Turn)
        ]
        return Script([commit, Scene(turns, name="main")])

    def aider(
        self, *options: str, message: str = "Write hello.py.", model: str = "openai/gpt-4o"
    ) -> list[str | Path]:
        """Return a command line of Aider."""
        prices = Path(self.env["HOME"], ".aider/caches/model_prices_and_context_window.json")
        prices.parent.mkdir(parents=True, exist_ok=True)
        prices.write_text('{"sample_spec": {}}')  # else it asks the network
        return [
            self.agent("aider"),
            "--model",
            model,
            *AIDER_QUIET,
            "--analytics-disable",
            *options,
            "--message",
            message,
        ]
