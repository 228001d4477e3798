"""`traceproof doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from traceproof import hooks, render
from traceproof.commands.options import JsonOption, StoreOption, locate, print_json
from traceproof.exits import NO
from traceproof.recorder import agents
from traceproof.recorder.runfolder import RunFolder
from traceproof.recorder.store import Store

_STYLES = {"ok": "green", "note": "yellow", "missing": "red"}
_PACKAGES = {
    "mitmproxy": "pip install '.[proxy]' in the clone",
    "brotli": "pip install '.[proxy]' in the clone",
    "opentelemetry-proto": "pip install '.[proxy]' in the clone",
    "zstandard": "pip install . in the clone",
}
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
_LOW_DISK = 1 << 30


class Check(msgspec.Struct):
    """One finding: `state` is `ok`, `note` (recording works, but know this) or `missing`."""

    name: str
    state: str
    detail: str
    mend: str = ""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(doctor)


def doctor(*, as_json: JsonOption = False, store: StoreOption = None) -> None:
    """Say what is here, what is missing, and how to get it.

    Exits with 1 if recording cannot work.
    """
    place = locate(store)
    checks = [check for look in _LOOKS for check in look(place)]
    if as_json:
        print_json(checks)
    else:
        render.console().print(_table(checks))
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(NO)


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for check in checks:
        state = Text(check.state, style=_STYLES[check.state])
        text = f"{check.detail}; {check.mend}" if check.mend else check.detail
        table.add_row(state, check.name, render.clean(text))
    return table


def _python(_: Store) -> Iterator[Check]:
    yield Check("python", "ok", f"{platform.python_version()} on {platform.platform()}")


def _packages(_: Store) -> Iterator[Check]:
    for name, mend in _PACKAGES.items():
        try:
            yield Check(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(name, "missing", "not installed", mend)


def _git(_: Store) -> Iterator[Check]:
    found = shutil.which("git")
    if found:
        yield Check("git", "ok", found)
    else:
        yield Check("git", "note", "not found: traces lack repository facts", "install git")


def _store(store: Store) -> Iterator[Check]:
    folder = next(at for at in (store.path, *store.path.parents) if at.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Check("store", "missing", f"{store.path}: {error.strerror}", "see --store")
        return
    yield Check("store", "ok", str(store.path))
    free = shutil.disk_usage(folder).free
    state = "ok" if free > _LOW_DISK else "note"
    yield Check("disk", state, f"{free / 1e9:.1f} GB free")


def _agents(_: Store) -> Iterator[Check]:
    for agent in agents.AGENTS.values():
        programs = sorted(getattr(agent, "programs", ()))
        path = next(filter(None, map(shutil.which, programs)), None)
        if path:
            version = agent.version([path], os.environ) or "version not known"
            yield Check(agent.name, "ok", f"{path} ({version})")
        elif programs:
            yield Check(agent.name, "note", "not on PATH")


def _shells(_: Store) -> Iterator[Check]:
    """Say how the shells of each agent would be reached, and of one that is not known."""
    try:
        RunFolder().close()
    except OSError as error:
        mend = "set TMPDIR to a folder, of a short name, that programs can be run from"
        yield Check("shells", "note", f"commands cannot be recorded: {error}", mend)
        return
    for agent in agents.AGENTS.values():
        chosen = hooks.plan(agent, os.environ)
        left = "; ".join(chosen.unhooked)
        told = [", ".join(chosen.hooks), f"not reached: {left}" if left else ""]
        detail = "; ".join(filter(None, told))
        mend = hooks.remedy() if left and not chosen.kind else ""
        yield Check(f"shells of {agent.name}", "note" if left else "ok", detail, mend)


def _environment(_: Store) -> Iterator[Check]:
    proxies = [name for name in _PROXIES if os.environ.get(name)]
    if proxies:
        yield Check("upstream proxy", "note", f"{', '.join(proxies)} will be used for model calls")
    for name in _BUNDLES:
        path = os.environ.get(name)
        if path and not Path(path).is_file():
            yield Check(name, "note", f"{path} is not a file", "correct or unset it")


_LOOKS: tuple[Callable[[Store], Iterator[Check]], ...] = (
    _python,
    _packages,
    _git,
    _store,
    _agents,
    _shells,
    _environment,
)
