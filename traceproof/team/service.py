"""A shared proxy from start to end: what must be there before what, and what is closed after what.

Signals and printing are the command's business.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from traceproof.proxy import hosts as model_hosts
from traceproof.proxy.authority import Authority, open_authority
from traceproof.proxy.capture import Capture
from traceproof.proxy.routes import Origin, parse_origin, parse_routes
from traceproof.proxy.server import Listening, ProxyConfig, ProxyServer
from traceproof.proxy.team.access import TeamAccess
from traceproof.proxy.team.meter import Meter
from traceproof.proxy.team.pages import Health, Pages
from traceproof.proxy.team.room import Room
from traceproof.proxy.team.users import TOKEN_RULE, UserFile
from traceproof.proxy.trust import TrustFiles, write_trust
from traceproof.proxy.upstream import proxies_from
from traceproof.recorder import secrets
from traceproof.recorder.agents import BaseUrl
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recordlog import open_log
from traceproof.team import disk, lines, openfiles
from traceproof.team.figures import Counted, families
from traceproof.team.sessions import TeamSessions
from traceproof.team.settings import Address, TeamSettings
from traceproof.version import __version__

LOG = "proxy.log"
MEASURED_EVERY = 2.0
"""Seconds between measurements of the store, and at least twenty times what one takes."""

log = logging.getLogger(__name__)


class Ended(NamedTuple):
    """What a proxy did in its time."""

    calls: int
    sessions: int
    lost: int
    unrecorded: int
    cut: int
    """Calls that were still under way, at the end of the grace or at a second signal."""


class Team:
    """A shared proxy."""

    def __init__(self, settings: TeamSettings, say: Callable[[str], None]) -> None:
        """Prepare it, and open nothing yet but its log; `say` takes one-line notes as they come.

        Raises:
            OSError: the store cannot be written.
            ValueError: the file of users is none, or there is no user where one is needed.
        """
        self._settings = settings
        self._say = say
        self._started = time.monotonic()
        users = UserFile(settings.users_file)
        self.users = users.reload().names
        if settings.listen.beyond and not self.users:
            raise ValueError(
                f"--listen {settings.listen} is reached from other machines, so every user needs "
                "a token: make one with `traceproof proxy users add NAME`"
            )
        settings.store.create()
        redactor = Redactor((TOKEN_RULE, *PATTERNS))
        redactor.add_all(secrets.from_environment(settings.environment))
        self._log = open_log(settings.store.path / LOG, redactor)
        self._room = Room(settings.quota, on_failure=settings.on_failure, say=self._note)
        self._meter = Meter()
        folder = settings.store.path / "ca"
        self._authority: Authority = open_authority(folder)
        self.trust: TrustFiles = write_trust(folder, settings.environment, self._authority.pem)
        self.access = TeamAccess(
            users,
            beyond=settings.listen.beyond,
            pages=self._pages(),
            delay=lambda: self._room.hold(self._meter.waiting, self._meter.lag),
        )
        self._sessions = TeamSessions(
            settings,
            meter=self._meter,
            room=self._room,
            secrets_of=self.access.secrets_of,
            most=openfiles.sessions(),
        )
        self._done = threading.Event()

    def start(self) -> Listening:
        """Measure the store and listen.

        Raises:
            OSError: the port is taken, or the store cannot be written.
            ValueError: a host, a route, the port or the environment's proxy is not usable.
        """
        config = self._config()
        self._measure()
        self._capture = Capture(self._sessions, refuses=self._refuses)
        self._server = ProxyServer(config, self._meter.around(self._capture))
        try:
            listening = self._server.start()
        except BaseException:
            self._capture.close()
            self._sessions.close()
            self._log.close()
            raise
        self._keeper = threading.Thread(
            target=self._keep_measuring, name="traceproof-store", daemon=True
        )
        self._keeper.start()
        return listening

    def drain(self) -> None:
        """Take no more calls, and let those under way end; returns once they have."""
        self._server.stop(self._settings.grace)

    def close(self) -> Ended:
        """Record what there is, and close every trace; also while `drain` still waits."""
        self._done.set()
        cut = self._meter.live + self._meter.stopped
        self._capture.close()
        self._sessions.close()
        self._log.close()
        totals = self._sessions.totals
        return Ended(totals.calls, totals.sessions, totals.lost, totals.unrecorded.total(), cut)

    @property
    def hosts(self) -> model_hosts.Hosts:
        """The hosts that are decrypted."""
        routes = parse_routes(self._settings.routes)
        return model_hosts.select(self._settings.hosts, routes)

    @property
    def origins(self) -> dict[BaseUrl, Origin]:
        """Reverse mode: the servers to stand for, those of `--host` under no variable's name."""
        if self._settings.mode == "forward":
            return {}
        named = {BaseUrl("", host): parse_origin(host) for host in self._settings.hosts}
        return {**lines.base_urls(), **named}

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, by which a user can check what he has fetched."""
        return self._authority.fingerprint

    def address(self, listening: Listening) -> Address:
        """Return how the proxy is reached by others."""
        host, port = self._settings.listen.host, parse_origin(listening.url).port
        everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 (compared, not bound)
        return self._settings.address or Address(socket.gethostname() if everywhere else host, port)

    # --- parts ------------------------------------------------------------------------------------

    def _config(self) -> ProxyConfig:
        settings = self._settings
        proxies = proxies_from(settings.environment)
        for note in proxies.notes:
            self._note(note)
        return ProxyConfig(
            authority=self._authority,
            roots=self.trust.roots,
            hosts=self.hosts,
            routes=parse_routes(settings.routes),
            proxies=proxies,
            origins=tuple(dict.fromkeys(self.origins.values())),
            listen_host=settings.listen.host,
            listen_port=settings.listen.port,
            access=self.access,
        )

    def _pages(self) -> Pages:
        return Pages(
            health=self._health,
            figures=lambda: families(
                Counted(self._meter, self._sessions, self._room, self._capture, self._server),
                time.monotonic() - self._started,
            ),
            certificate=self._authority.pem,
            bundle=self.trust.bundle.read_bytes(),
        )

    def _health(self) -> Health:
        problem = self._room.problem
        return Health(
            "degraded" if problem else "ok",
            __version__,
            round(time.monotonic() - self._started, 1),
            not problem,
            problem,
        )

    def _refuses(self) -> str:
        if self._settings.on_failure == "open" or self._room.takes(self._meter.waiting):
            return ""
        why = self._room.problem or "the recording lags too far behind"
        return f"{why}, and --on-failure is closed, so the call was not made"

    def _keep_measuring(self) -> None:
        pause = MEASURED_EVERY
        while not self._done.wait(pause):
            began = time.monotonic()
            self._measure()
            pause = max(MEASURED_EVERY, 20 * (time.monotonic() - began))

    def _measure(self) -> None:
        store = self._settings.store
        try:
            used = disk.used(store.path)
            trouble = disk.trouble(store.traces_path)
        except OSError as error:
            used, trouble = self._room.used, f"{store.path}: {error.strerror or error}"
        problem = self._sessions.problem
        if problem is not None and not trouble:
            trouble = f"{store.traces_path}: {problem.strerror or problem}"
        self._room.measure(used, trouble)

    def _note(self, line: str) -> None:
        """Say something to whoever runs the proxy, and keep it."""
        log.warning("%s", line)
        self._say(line)
