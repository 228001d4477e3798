"""`traceproof demo`: the whole way on a built-in agent and a bug; no key, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from traceproof import render
from traceproof.commands.options import JsonOption, load_recording, print_json
from traceproof.commands.show import load
from traceproof.exits import NO
from traceproof.recorder.store import Store
from traceproof.recorder.task import Contract, Scenario, Task, Type
from traceproof.settings import Settings

_HOST = "api.anthropic.com"
_GIT_SETTINGS = ("user.name=demo", "user.email=demo@localhost", "init.defaultBranch=main")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(demo)


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to work; default: a new temporary folder."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record a small agent that fixes a real bug, asking a scripted model, and show the trace."""
    place = _repository(folder)
    say = render.console(stderr=True).print
    say(f"A repository with a failing test: {place}")
    say("Recording an agent that fixes it. The model is scripted; all else is real.")
    trace, code = _record(place, stdout_to_stderr=as_json)
    view = load(trace)
    if as_json:
        print_json(view)
    else:
        render.console().print(render.tree(view))
        say(f"\nThe trace: {trace}")
        say(f"All of it: {_program()} show --full --store {place}/.traceproof")
        say(f"Your own:  {_program()} record -- claude   (or aider, or any agent)")
    if code:
        raise typer.Exit(NO)


def _program() -> str:
    """Return how to call this program again: by its name where the shell finds it."""
    if shutil.which("traceproof"):
        return "traceproof"
    path = Path(sys.argv[0])
    return f"{sys.executable} -m traceproof" if path.suffix == ".py" else str(path)


def _repository(folder: Path | None) -> Path:
    """Make the repository with the bug."""
    place = (folder or Path(tempfile.mkdtemp(prefix="traceproof-demo-"))).resolve()
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise FileExistsError(f"{place} is not empty: give demo a new folder")
    for name in ("intervals.py", "test_intervals.py"):
        source = files("traceproof.demo").joinpath("repository", name)
        place.joinpath(name).write_bytes(source.read_bytes())
    if shutil.which("git"):
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Merge intervals"]):
            _git(place, *arguments)
    return place


def _git(place: Path, *arguments: str) -> None:
    settings = [word for setting in _GIT_SETTINGS for word in ("-c", setting)]
    subprocess.run(["git", *settings, *arguments], cwd=place, check=True)


def _record(place: Path, *, stdout_to_stderr: bool) -> tuple[Path, int]:
    """Record the built-in agent; return the trace and the agent's exit code."""
    recording = load_recording()
    from traceproof.demo.script import PROMPT, script  # noqa: PLC0415 - it needs the extra too
    from traceproof.proxy.testing import ScriptedModel  # noqa: PLC0415

    task = Task(
        id="demo-intervals",
        type=Type.REPAIR,
        scenario=Scenario.SYNTHETIC,
        contract=Contract(goal="merge() never shortens an interval", acceptance="the tests pass"),
    )
    environment = {
        **os.environ,
        "ANTHROPIC_API_KEY": "sk-ant-demo-not-a-real-key",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "traceproof.demo.agent", PROMPT)
    if stdout_to_stderr:
        command = ("sh", "-c", 'exec "$@" >&2', "sh", *command)
    os.chdir(place)
    with ScriptedModel(script()) as model:
        outcome = recording.record(
            Settings(
                command=command,
                cwd=place,
                environment=environment,
                store=Store(place / ".traceproof"),
                task=task,
                routes=(f"{_HOST}={model.url}",),
            )
        )
    for line in outcome.lost:
        print(f"traceproof: {line}", file=sys.stderr)
    return Path(outcome.trace), outcome.code
