"""`traceproof record`: run an agent and record it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from traceproof.commands.options import StoreOption, load_recording, locate
from traceproof.outcome import Outcome
from traceproof.recorder import task as tasks
from traceproof.recorder.launch import find
from traceproof.recorder.task import Scenario, Task
from traceproof.settings import Settings


class Mode(StrEnum):
    """How the agent is led to the recorder."""

    forward = "forward"
    reverse = "reverse"


class OnFailure(StrEnum):
    """What happens to the agent when recording fails."""

    open = "open"
    closed = "closed"


class Redact(StrEnum):
    """What is masked while recording."""

    exact = "exact"
    patterns = "patterns"


class Snapshots(StrEnum):
    """What of the workspace is recorded."""

    on = "on"
    all = "all"
    off = "off"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(context_settings={"allow_interspersed_args": False})(record)


def record(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="The agent and its arguments.")
    ],
    *,
    task: Annotated[
        Path | None,
        typer.Option("--task", metavar="FILE", help="Task file; default: task.toml, if there."),
    ] = None,
    scenario: Annotated[
        Scenario | None, typer.Option("--scenario", help="Where the work comes from.")
    ] = None,
    reserve_eval: Annotated[
        bool, typer.Option("--reserve-eval", help="Keep this trace for evaluation, not training.")
    ] = False,
    mode: Annotated[
        Mode, typer.Option("--mode", help="forward: HTTPS_PROXY and a CA; reverse: base URLs.")
    ] = Mode.forward,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="A further host to decrypt; may be repeated."),
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(
            "--route", metavar="HOST=URL", help="Send a host's traffic elsewhere; may be repeated."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 0,
    on_failure: Annotated[
        OnFailure,
        typer.Option("--on-failure", help="If recording fails: let the agent go on, or stop it."),
    ] = OnFailure.open,
    redact: Annotated[
        Redact,
        typer.Option("--redact", help="Mask known secrets, or what looks like one as well."),
    ] = Redact.exact,
    snapshots: Annotated[
        Snapshots,
        typer.Option(
            "--snapshots", help="Record the workspace's files; all: those git ignores too."
        ),
    ] = Snapshots.on,
    shell: Annotated[
        bool, typer.Option("--shell/--no-shell", help="Record the commands that its shells run.")
    ] = True,
    shell_namespace: Annotated[
        bool,
        typer.Option(
            "--shell-namespace", help="Not root: reach all its shells, by a user namespace."
        ),
    ] = False,
    agent: Annotated[
        str, typer.Option("--agent", metavar="NAME", help="The agent, where it is not recognised.")
    ] = "",
    summary: Annotated[
        Path | None,
        typer.Option("--summary", metavar="FILE", help="Write a JSON summary of the recording."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Run an agent and record it; exits with the agent's own code.

    Nothing is printed while it runs: stdin, stdout, stderr and the terminal are the agent's. A
    recording that lost something says so at the end and turns exit code 0 into 3.
    """
    recording = load_recording()

    settings = Settings(
        command=tuple(command),
        cwd=Path.cwd(),
        environment=dict(os.environ),
        store=locate(store),
        task=_task(task, scenario, reserve_eval=reserve_eval),
        mode=mode.value,
        hosts=tuple(host or ()),
        routes=tuple(route or ()),
        port=port,
        on_failure=on_failure.value,
        patterns=redact is Redact.patterns,
        snapshots=snapshots.value,
        shell=shell,
        user_namespace=shell_namespace,
        agent_name=agent,
    )
    settings.check()
    if summary is not None and (summary.is_dir() or not summary.parent.is_dir()):
        raise ValueError(f"--summary {summary}: there is no place for a file")
    try:
        find(command[0], settings.environment)
    except OSError as error:
        raise ValueError(str(error)) from None
    outcome = recording.record(settings)
    if summary is not None:
        try:
            _write_summary(summary, outcome)
        except OSError as error:
            outcome.lost.append(f"{summary}: the summary was not written: {error.strerror}")
    _report(outcome)
    raise typer.Exit(outcome.code)


def _task(file: Path | None, scenario: Scenario | None, *, reserve_eval: bool) -> Task:
    path = file or tasks.find(Path.cwd())
    task = tasks.load(path) if path else Task()
    return msgspec.structs.replace(
        task,
        scenario=scenario or task.scenario,
        reserve_eval=reserve_eval or task.reserve_eval,
    )


def _write_summary(path: Path, outcome: msgspec.Struct) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(outcome), indent=2)
    with open(path, "wb", opener=_private) as file:
        file.write(encoded + b"\n")


def _private(name: str, flags: int) -> int:
    """Open a file that only its owner can read, if it is made now."""
    return os.open(name, flags, 0o600)


def _report(outcome: Outcome) -> None:
    """Say what was lost; that nobody listens any more changes nothing about the agent's code."""
    with suppress(OSError):
        for line in outcome.lost:
            print(f"traceproof: {line}", file=sys.stderr)
        if outcome.trace and sys.stderr.isatty():
            print(f"traceproof: recorded in {outcome.trace}", file=sys.stderr)
