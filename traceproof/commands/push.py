"""`traceproof push`: traces to any server that takes OTLP over HTTP."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from traceproof import render
from traceproof.commands.export import Semconv, SemconvOption, TracesArgument
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.exits import NO
from traceproof.export.endpoint import Endpoint, resolve
from traceproof.export.openinference import Names
from traceproof.export.progress import Progress
from traceproof.export.whole import Wanted
from traceproof.recorder.conventions import VERSIONS

if TYPE_CHECKING:
    from traceproof.export.push import How, Pushed

TIMEOUT = 60.0


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(push)


def push(
    traces: TracesArgument = None,
    *,
    endpoint: Annotated[
        str,
        typer.Option(
            "--endpoint",
            metavar="URL",
            help="The server; /v1/traces is added. Default: OTEL_EXPORTER_OTLP_ENDPOINT.",
        ),
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            metavar="NAME=VALUE",
            help="A header to send along; may be repeated. Never printed or stored.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, metavar="S", help="Seconds for a batch, all its tries included."
        ),
    ] = TIMEOUT,
    semconv: SemconvOption = Semconv.pinned,
    convention: Annotated[
        Names,
        typer.Option("--convention", help="Whose names content has: gen_ai.*, OpenInference's."),
    ] = Names.both,
    resource: Annotated[
        list[str] | None,
        typer.Option(
            "--resource", metavar="NAME=VALUE", help="An attribute of the resource to add."
        ),
    ] = None,
    bodies: Annotated[
        bool, typer.Option(help="With the raw bytes of requests and responses.")
    ] = False,
    agent_spans: Annotated[
        bool, typer.Option(help="With the spans that the agent sent of itself.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send all, also what has gone there before.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Send traces to a server that takes OTLP over HTTP, whole, with their own ids and times.

    What has gone there before does not go again, so a push that was interrupted goes on. Exits
    with 1 if the server refused spans, with 3 if it did not take them at all.
    """
    target = resolve(endpoint, header or (), os.environ)
    module = _load()
    place = locate(store)
    paths = [place.find(name) for name in traces or ["last"]]
    how = module.How(
        Wanted(VERSIONS[semconv.value], bodies=bodies, agent_spans=agent_spans),
        convention,
        dict(_pair(text) for text in resource or ()),
        again,
    )
    done: list[Pushed] = []
    try:
        _push(module, paths, target, how, timeout=timeout, done=done)
    except (OSError, ValueError):
        done = [pushed for pushed in done if pushed.sent or pushed.refused]
        _tell(done, target, as_json=as_json)
        raise
    _tell(done, target, as_json=as_json)
    if any(pushed.refused for pushed in done):
        raise typer.Exit(NO)


def _tell(done: list[Pushed], target: Endpoint, *, as_json: bool) -> None:
    for pushed in done:
        for problem in pushed.problems:
            print(f"traceproof: {render.clean(problem)}", file=sys.stderr)
    if done and as_json:
        print_json({"endpoint": target.shown, "traces": done})
    elif done:
        render.console().print("\n".join(_line(pushed, target) for pushed in done))


def _load() -> ModuleType:
    """Import what pushes.

    Raises:
        ImportError: the extra is not installed; the message says how to install it.
    """
    try:
        return import_module("traceproof.export.push")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "traceproof":
            raise
        raise ImportError(
            "pushing needs OpenTelemetry's exporter: pip install 'traceproof[otlp]'"
        ) from error


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise ValueError("--resource is NAME=VALUE, for instance openinference.project.name=team")
    return name.strip(), value


def _push(
    module: ModuleType,
    paths: list[Path],
    target: Endpoint,
    how: How,
    *,
    timeout: float,
    done: list[Pushed],
) -> None:
    """Push one trace after the other; what each came to is in `done`, however far it came."""
    sender_module = import_module("traceproof.export.sender")
    with Progress() as progress:

        def report(pushed: Pushed) -> None:
            progress.say(f"{Path(pushed.trace).name}: {pushed.sent:,} spans sent")

        def again(why: str) -> None:
            progress.say(f"{target.shown}: {why}; trying again", now=True)

        with sender_module.Sender(target, timeout=timeout, again=again) as sender:
            for path in paths:
                one = module.Push(path, target, how, report)
                done.append(one.done)
                one.run(sender)


def _line(pushed: Pushed, target: Endpoint) -> str:
    parts = [f"{pushed.sent} spans sent to {target.shown}"]
    for count, text in (
        (pushed.before, "had gone before"),
        (pushed.refused, "refused"),
        (pushed.left, "in flight: push again when the recording has ended"),
    ):
        if count:
            parts.append(f"{count} {text}")
    return f"{Path(pushed.trace).name}: {', '.join(parts)}"
