"""Runs a shared proxy in the foreground until a signal ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from traceproof.exits import ENVIRONMENT
from traceproof.proxy.routes import parse_origin
from traceproof.proxy.server import Listening
from traceproof.team import lines
from traceproof.team.announcement import Announcement
from traceproof.team.lines import Paste
from traceproof.team.memory import give_back_large_pieces
from traceproof.team.openfiles import allow_many
from traceproof.team.service import Ended, Team
from traceproof.team.settings import Address, TeamSettings
from traceproof.team.signals import Signals


def run(
    settings: TeamSettings,
    announce: Callable[[Announcement], None],
    say: Callable[[str], None],
) -> int:
    """Run the proxy; return its exit code, 3 where something that was taken in is lost.

    Raises:
        OSError: the port is taken, or the store cannot be written.
        ValueError: a setting is wrong, or a user is missing.
    """
    give_back_large_pieces()
    allow_many()
    team = Team(settings, say)
    with Signals() as signals:
        announce(announcement(settings, team, team.start()))
        return _until_stopped(team, signals, say)


def _until_stopped(team: Team, signals: Signals, say: Callable[[str], None]) -> int:
    signals.wait()
    began = time.monotonic()
    threading.Thread(target=_drain, args=(team, signals), daemon=True).start()
    signals.wait()
    ended = team.close()
    say(_summary(ended, time.monotonic() - began))
    return ENVIRONMENT if ended.lost else 0


def _drain(team: Team, signals: Signals) -> None:
    """Drain, and then end the waiting as a second signal would."""
    try:
        team.drain()
    finally:
        signals.wake()


def _summary(ended: Ended, seconds: float) -> str:
    parts = [
        f"{ended.calls} calls in {ended.sessions} sessions recorded, {ended.lost} spans lost",
        *([f"{ended.unrecorded} calls passed unrecorded"] if ended.unrecorded else []),
        *([f"{ended.cut} calls were cut off"] if ended.cut else []),
        f"stopped after {seconds:.1f} s",
    ]
    return "; ".join(parts)


def announcement(settings: TeamSettings, team: Team, listening: Listening) -> Announcement:
    """Return what to say of a proxy that listens."""
    address = team.address(listening)
    user = lines.ANYBODY if team.access.required else ""
    paste = _paste(settings, team, listening, user)
    return Announcement(
        url=address.url,
        mode=settings.mode,
        listen=sorted(set(listening.bases.values()) or {listening.url}),
        variables=paste.variables,
        fetch=paste.fetch,
        ca_sha256=team.fingerprint,
        store=str(settings.store.path),
        users=team.users,
        pages={name: f"{address.url}/{name}" for name in ("healthz", "metrics", "ca.pem")},
        text=paste.text,
        remarks=_remarks(settings, team, listening),
    )


def _paste(settings: TeamSettings, team: Team, listening: Listening, user: str) -> Paste:
    address = team.address(listening)
    if settings.mode == "reverse":
        bases = {
            origin: Address(address.host, parse_origin(base).port).url
            for origin, base in listening.bases.items()
        }
        return lines.reverse(bases, team.origins, user)
    if settings.listen.beyond:
        return lines.forward(address, user, team.hosts, {}, None)
    return lines.forward(address, user, team.hosts, settings.environment, team.trust)


def _remarks(settings: TeamSettings, team: Team, listening: Listening) -> list[str]:
    names = ", ".join(team.users)
    who = f"users: {names}" if names else "no users: whoever reaches it may use it"
    if team.access.required and not names:
        who = "every user was removed: nobody may use it"
    lines_ = [
        f"listening on {listening.url}; traces go to {settings.store.traces_path}; {who}",
        f"SHA-256 of the certificate: {team.fingerprint}",
    ]
    if team.access.required:
        lines_.append("NAME:TOKEN stands for what `traceproof proxy users add NAME` printed")
    return lines_
