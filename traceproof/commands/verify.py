"""`traceproof verify`: run the tests again and again, and say what can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import typer
from click.core import ParameterSource

from traceproof import render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.commands.quantities import seconds, size, some_of
from traceproof.exits import NO
from traceproof.recorder.store import Store
from traceproof.recorder.task import Type
from traceproof.replay.options import AXES
from traceproof.replay.runs import Axis
from traceproof.verifying.asked import About, Asked, Effort, Place, SandboxName
from traceproof.verifying.clones import is_url
from traceproof.verifying.files import find_verdict
from traceproof.verifying.telling import Teller, is_yes, repeated, summary

_AXES = ", ".join(AXES)
_LEAST = 16 << 20
"""Bytes of memory without which no box can do anything; an engine takes 0 for no limit."""

_WITH_REPEAT = ("trace", "again", "sandbox", "as_json", "store")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(verify)


def verify(
    trace: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRACE]",
            help="A trace: a file, an id or its beginning, or `last`; "
            "with --repeat a verdict's file will do.",
        ),
    ] = None,
    *,
    repo: Annotated[
        str,
        typer.Option(
            "--repo",
            metavar="URL_OR_PATH",
            help="Verify a repository, or a folder without git, in place of a trace; "
            "with a trace: a clone that has its commit; with --commit or --patch too: what the "
            "trace, which has no snapshots, was about.",
        ),
    ] = "",
    commit: Annotated[
        str, typer.Option("--commit", metavar="SHA", help="The commit of --repo to begin from.")
    ] = "",
    patch: Annotated[
        Path | None,
        typer.Option(
            "--patch",
            metavar="FILE",
            help="What makes the final tree of --commit, as `git diff` prints it; "
            "without it there is no before and after.",
        ),
    ] = None,
    tests: Annotated[
        str,
        typer.Option(
            "--tests",
            metavar="CMD",
            help="The command that runs the tests; "
            "default: traceproof.toml's, else the trace's widest run of tests.",
        ),
    ] = "",
    tests_from: Annotated[
        str,
        typer.Option(
            "--tests-from",
            metavar="final|base|FILE",
            help="Which state the test files are restored to before grading; "
            "FILE is a patch or a tar archive.",
        ),
    ] = "final",
    task_type: Annotated[
        Type | None,
        typer.Option(
            "--task-type", help="How before and after are compared; default: the trace's."
        ),
    ] = None,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="Choose dependencies as of this day; default: the commit's.",
        ),
    ] = "",
    runs: Annotated[
        int,
        typer.Option(
            "--runs",
            metavar="N",
            min=0,
            show_default=False,
            help="Identical reruns; default: as many as the bound needs.",
        ),
    ] = 0,
    time: Annotated[
        str,
        typer.Option(
            "--time",
            metavar="TIME",
            show_default=False,
            help="Stop after this long: 90s, 10m, 2h; default: when it is known.",
        ),
    ] = "0",
    max_flake_rate: Annotated[
        float,
        typer.Option(
            "--max-flake-rate",
            metavar="RATE",
            min=0.0001,
            max=0.9999,
            help="Rerun until no test's flake rate can be above this.",
        ),
    ] = 0.05,
    confidence: Annotated[
        float,
        typer.Option(
            "--confidence", metavar="SHARE", min=0.5, max=0.9999, help="How sure that is to be."
        ),
    ] = 0.95,
    axes: Annotated[
        str,
        typer.Option(
            "--axes", metavar="NAMES", help=f"What to perturb: all, none, or some of {_AXES}."
        ),
    ] = "all",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Every run's seed follows from it.")
    ] = 0,
    sandbox: Annotated[
        SandboxName,
        typer.Option("--sandbox", help="Where to run; auto: docker if an engine answers."),
    ] = "auto",
    allow_network: Annotated[
        bool,
        typer.Option("--allow-network", help="Also run with a network, to see what it changes."),
    ] = False,
    image: Annotated[
        str,
        typer.Option("--image", metavar="IMAGE", help="The image to build on, best by its digest."),
    ] = "",
    dockerfile: Annotated[
        str,
        typer.Option(
            "--dockerfile", metavar="PATH", help="A Dockerfile in the repository to build instead."
        ),
    ] = "",
    memory: Annotated[
        str, typer.Option("--memory", metavar="SIZE", help="What a box may use: 512m, 4g.")
    ] = "4g",
    cpus: Annotated[
        float, typer.Option("--cpus", metavar="N", min=0.01, help="Processors of a box.")
    ] = 1.0,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="What one run of the tests may take.")
    ] = "30m",
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            metavar="N",
            min=0,
            show_default=False,
            help="Boxes at a time; default: as many as cores.",
        ),
    ] = 0,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Where the verdict and its files go; default: beside the trace, "
            "else the store's folder `verdicts`.",
        ),
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay/--no-replay",
            help="Also replay a trace's recorded steps, and show them in the report; "
            "they do not change the verdict.",
        ),
    ] = True,
    again: Annotated[
        str,
        typer.Option(
            "--repeat",
            metavar="RUN_ID",
            help="Run one run of a verdict again, alone, and compare; the newest verdict's, "
            "or that of the trace or verdict that is named.",
        ),
    ] = "",
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Run the tests before and after, then again and again, and say what can be trusted.

    Exits with 0 if the tests are steady and the task is resolved (or, where there is no before and
    after, if they are steady), with 1 if not.
    """
    place = locate(store)
    if again:
        _refuse_others()
        _repeat(again, trace or "", place, sandbox, as_json=as_json)
        return
    asked = Asked(
        about=_about(trace, repo, commit, patch, place, tests, tests_from, task_type, as_of),
        place=Place(
            sandbox=sandbox,
            image=image,
            dockerfile=dockerfile,
            memory=size(memory, "--memory", _LEAST),
            cpus=cpus,
            timeout=seconds(timeout, "--timeout", 1),
        ),
        effort=Effort(
            runs=runs,
            time=seconds(time, "--time"),
            max_flake_rate=max_flake_rate,
            confidence=confidence,
            axes=_axes(axes, network=allow_network),
            seed=seed,
            network=allow_network,
            jobs=jobs,
            replay=replay,
        ),
    )
    _verify(asked, place, report, as_json=as_json)


def _about(  # noqa: PLR0917 - as they come from the command line
    trace: str | None,
    repo: str,
    commit: str,
    patch: Path | None,
    store: Store,
    tests: str,
    tests_from: str,
    task_type: Type | None,
    as_of: str,
) -> About:
    """Put together which subject is meant.

    Raises:
        ValueError: the options do not fit together.
    """
    if trace is None and not repo:
        raise ValueError("what is to be verified? a TRACE, or --repo URL_OR_PATH --commit SHA")
    if trace is not None and (commit or patch) and not repo:
        raise ValueError(
            "--commit and --patch go with --repo; a TRACE has its own, or needs all of them"
        )
    return About(
        trace=str(store.find(trace).resolve()) if trace is not None else "",
        repo=repo if not repo or is_url(repo) else str(Path(repo).expanduser().absolute()),
        commit=commit,
        patch=str(patch.absolute()) if patch else "",
        tests=tests,
        tests_from=_state(tests_from),
        task_type=task_type,
        as_of=as_of,
    )


def _axes(text: str, *, network: bool) -> tuple[Axis, ...]:
    """Return the axes; the network is one where it is allowed."""
    wanted = some_of(text, AXES, "--axes")
    if "network" in wanted and text != "all" and not network:
        raise ValueError("--axes network needs --allow-network: a run with one is compared")
    return wanted


def _refuse_others() -> None:
    """Refuse options that --repeat would not heed.

    Raises:
        ValueError: there is one.
    """
    context = click.get_current_context()
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is ParameterSource.COMMANDLINE and option.name not in _WITH_REPEAT:
            raise ValueError(f"{option.opts[0]} does not go with --repeat: a run is as it was")


def _state(tests_from: str) -> str:
    return tests_from if tests_from in ("final", "base") else str(Path(tests_from).absolute())


def _verify(asked: Asked, store: Store, folder: Path | None, *, as_json: bool) -> None:
    from traceproof.verifying.course import verify as run  # noqa: PLC0415 - it is slow to import

    done = run(asked, store, folder.absolute() if folder else None, Teller())
    if as_json:
        print_json(done.document())
    else:
        console = render.console()
        summary(done.verdict, console, done.files.verdict)
        console.print(f"The verdict: {done.files.verdict}", soft_wrap=True, markup=False)
        console.print(f"The report: {done.files.html}", soft_wrap=True, markup=False)
    if not is_yes(done.verdict):
        raise typer.Exit(NO)


def _repeat(wanted: str, name: str, store: Store, sandbox: SandboxName, *, as_json: bool) -> None:
    from traceproof.verifying.repeating import repeat  # noqa: PLC0415 - it is slow to import

    found = repeat(wanted, find_verdict(name, store), Teller(), sandbox=sandbox)
    if as_json:
        print_json(found)
    else:
        repeated(found, render.console())
    if not found.same:
        raise typer.Exit(NO)
