"""`traceproof demo`: the whole way on a built-in agent and a bug; no key, no network needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from traceproof import render
from traceproof.commands.options import JsonOption, load_recording, print_json
from traceproof.commands.show import load
from traceproof.exits import NO
from traceproof.recorder.store import Store
from traceproof.recorder.task import Contract, Scenario, Task, Type
from traceproof.sandbox.errors import SandboxError
from traceproof.settings import Settings
from traceproof.verifying.asked import About, Asked, Effort, Place, SandboxName
from traceproof.verifying.telling import Teller, is_yes, summary

if TYPE_CHECKING:
    from traceproof.verifying.course import Done

_HOST = "api.anthropic.com"
_MAX_FLAKE_RATE = 0.14
"""20 runs without a flip show it at 95 % confidence; enough to see how it goes."""

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
    sandbox: Annotated[
        SandboxName,
        typer.Option("--sandbox", help="Where the tests run; auto: docker if an engine answers."),
    ] = "auto",
    recording: Annotated[
        bool, typer.Option("--record-only", help="Stop when the trace is there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Record a small agent that fixes a real bug, show the trace, and verify the fix.

    The agent asks a scripted model; all else is real.
    """
    place = _repository(folder)
    say = render.console(stderr=True).print
    say(f"A repository with a failing test: {place}")
    say("Recording an agent that fixes it. The model is scripted; all else is real.")
    trace, code = _record(place, stdout_to_stderr=as_json)
    view = load(trace)
    if not as_json:
        render.console().print(render.tree(view))
        say(f"\nThe trace: {trace}")
        say(f"All of it: {_program()} show --full --store {place}/.traceproof")
    done = None if recording or code else _verify(trace, sandbox, as_json=as_json)
    if as_json:
        print_json({**msgspec.to_builtins(view), **(done.document() if done else {})})
    else:
        say(f"Your own:  {_program()} record -- claude   (or aider, or any agent)")
    if code or (done and not is_yes(done.verdict)):
        raise typer.Exit(NO)


def _verify(trace: Path, sandbox: SandboxName, *, as_json: bool) -> Done:
    """Verify the trace: in containers, or where these cannot be had in private folders."""
    from traceproof.verifying.course import verify  # noqa: PLC0415 - it is slow to import

    say = render.console(stderr=True).print
    say("\nVerifying it: the tests before and after, then again and again, and perturbed.")
    asked = Asked(
        about=About(trace=str(trace)),
        place=Place(sandbox=sandbox),
        effort=Effort(max_flake_rate=_MAX_FLAKE_RATE),
    )
    store = Store(trace.parent.parent)
    try:
        done = verify(asked, store, None, Teller())
    except SandboxError as error:
        if sandbox != "auto":
            raise
        say(f"No container: {error}\nIn private folders instead.", markup=False, soft_wrap=True)
        local = msgspec.structs.replace(asked, place=Place(sandbox="local"))
        done = verify(local, store, None, Teller())
    if not as_json:
        console = render.console()
        summary(done.verdict, console, done.files.verdict)
        console.print(f"The verdict: {done.files.verdict}", soft_wrap=True, markup=False)
        console.print(f"The report: {done.files.html}", soft_wrap=True, markup=False)
    return done


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
