"""`traceproof proxy`: a proxy that runs on its own, for a team or for agents started elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from traceproof.commands.options import (
    JsonOption,
    StoreOption,
    load_recording,
    locate,
    print_json,
)
from traceproof.commands.record import Mode, OnFailure, Redact
from traceproof.proxy import hosts as model_hosts
from traceproof.proxy.team.room import parse_size
from traceproof.proxy.team.users import FILE, UserFile
from traceproof.recorder.task import Scenario
from traceproof.team import lines
from traceproof.team.announcement import Announcement
from traceproof.team.settings import Address, TeamSettings, parse_address

_users = typer.Typer(no_args_is_help=True, help="Who may use a proxy that other machines reach.")


AddressOption = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="How users reach the proxy, for the lines that are printed.",
    ),
]
UsersOption = Annotated[
    Path | None,
    typer.Option("--users", metavar="FILE", help="The file of users; default: in the store."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(proxy)
    _users.command("add")(add_user)
    _users.command("remove")(remove_user)
    _users.command("ls")(list_users)
    group.add_typer(_users, name="users")
    app.add_typer(group, name="proxy")


def proxy(
    context: typer.Context,
    *,
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 picks one."),
    ] = "127.0.0.1:8080",
    address: AddressOption = "",
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode", help="forward: HTTPS_PROXY and a CA; reverse: base URLs, a port each."
        ),
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
    users: UsersOption = None,
    quota: Annotated[
        str, typer.Option("--quota", metavar="SIZE", help="What the store may hold: 20GB, 512MiB.")
    ] = "",
    idle: Annotated[
        float,
        typer.Option(
            "--idle",
            metavar="MINUTES",
            min=0.01,
            help="Close a trace after so long without a call.",
        ),
    ] = 30.0,
    grace: Annotated[
        float,
        typer.Option(
            "--grace", metavar="SECONDS", min=0, help="What calls under way get when it is stopped."
        ),
    ] = 30.0,
    scenario: Annotated[
        Scenario, typer.Option("--scenario", help="Where the work comes from.")
    ] = Scenario.REAL_DEV,
    on_failure: Annotated[
        OnFailure,
        typer.Option("--on-failure", help="If recording fails: let calls pass, or refuse them."),
    ] = OnFailure.open,
    redact: Annotated[
        Redact,
        typer.Option("--redact", help="Mask known secrets, or what looks like one as well."),
    ] = Redact.exact,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Run a proxy for many agents and users, with a trace for each of their sessions.

    It prints the lines to paste into a user's shell, and runs until it gets SIGTERM or SIGINT: then
    it takes no more calls, lets those under way end, and closes the traces. A second signal ends it
    at once. Users on other machines need a token: `traceproof proxy users add`.
    """
    if context.invoked_subcommand:
        return
    settings = TeamSettings(
        listen=parse_address(listen),
        address=parse_address(address, "--address") if address else None,
        store=locate(store),
        environment=dict(os.environ),
        mode=mode.value,
        hosts=tuple(host or ()),
        routes=tuple(route or ()),
        users=users,
        scenario=scenario,
        quota=parse_size(quota) if quota else None,
        idle=60 * idle,
        grace=grace,
        on_failure=on_failure.value,
        patterns=redact is Redact.patterns,
    )
    settings.check()
    running = load_recording("traceproof.team.running")
    raise typer.Exit(running.run(settings, _announcer(as_json=as_json), _say))


def _announcer(*, as_json: bool) -> Callable[[Announcement], None]:
    def announce(told: Announcement) -> None:
        if as_json:
            print_json(told)
            return
        print(told.text, flush=True)
        for line in told.remarks:
            _say(line)

    return announce


def _say(line: str) -> None:
    """Tell whoever runs the proxy; that nobody listens any more changes nothing."""
    with suppress(OSError):
        print(f"traceproof: {line}", file=sys.stderr, flush=True)


def add_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, '.', '_', '-'.")],
    *,
    address: AddressOption = "",
    users: UsersOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Make a token for a user, and print it, this once, in the lines to paste into his shell."""
    at = parse_address(address, "--address") if address else Address("PROXY", 8080)
    told = _user_file(users, store)
    token = told.add(name)
    paste = lines.forward(at, f"{name}:{token}", model_hosts.Hosts(), {}, None)
    if as_json:
        print_json({"name": name, "token": token, **paste._asdict()})
        return
    print(paste.text, flush=True)
    _say(f"{name} was added to {told.path}; the token is not kept: it is shown this once")
    if not address:
        _say("PROXY:8080 stands for how the user reaches the proxy: --address HOST:PORT names it")


def remove_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token is to admit nobody.")],
    *,
    users: UsersOption = None,
    store: StoreOption = None,
) -> None:
    """Remove a user; a proxy that runs takes note of it at the next connection."""
    _user_file(users, store).remove(name)


def list_users(
    *, users: UsersOption = None, as_json: JsonOption = False, store: StoreOption = None
) -> None:
    """List the users, and since when each has a token."""
    known = _user_file(users, store).reload().users
    if as_json:
        print_json([{"name": user.name, "added": user.added} for user in known])
        return
    for user in known:
        print(f"{user.name}\t{user.added}")


def _user_file(users: Path | None, store: Path | None) -> UserFile:
    """Return the file of users, in the store unless one is named."""
    if users is not None:
        return UserFile(users)
    place = locate(store)
    place.create()
    return UserFile(place.path / FILE)
