"""What `proxy` was asked to do, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from traceproof.proxy.hosts import is_loopback, parse_host
from traceproof.proxy.routes import parse_routes
from traceproof.proxy.team.users import FILE
from traceproof.recorder.store import Store
from traceproof.recorder.task import Scenario

_HIGHEST_PORT = 65535


class Address(NamedTuple):
    """A host and a port; port 0 picks a free one."""

    host: str
    port: int

    @property
    def beyond(self) -> bool:
        """Whether other machines reach it."""
        return not is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address as an HTTP URL."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class TeamSettings:
    """One shared proxy."""

    listen: Address
    store: Store
    environment: Mapping[str, str] = field(repr=False)
    address: Address | None = None
    """How others reach it, where that is not where it listens."""
    mode: Literal["forward", "reverse"] = "forward"
    hosts: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    users: Path | None = None
    """The file of users; in the store, unless given."""
    scenario: Scenario = Scenario.REAL_DEV
    quota: int | None = None
    """Bytes that the store may hold."""
    idle: float = 1800.0
    """Seconds after which a session without a call is closed."""
    grace: float = 30.0
    """Seconds that calls under way get to end when the proxy is stopped."""
    on_failure: Literal["open", "closed"] = "open"
    patterns: bool = False
    """Mask what looks like a credential too, not only known values."""

    @property
    def users_file(self) -> Path:
        """Where the users are kept."""
        return self.users or self.store.path / FILE

    def check(self) -> None:
        """Check what can be checked before anything is started.

        Raises:
            ValueError: a host or a route is wrong.
        """
        for host in self.hosts:
            parse_host(host)
        parse_routes(self.routes)


def parse_address(text: str, option: str = "--listen") -> Address:
    """Read `HOST:PORT`; an IPv6 address stands in brackets.

    >>> parse_address("127.0.0.1:8080")
    Address(host='127.0.0.1', port=8080)

    Raises:
        ValueError: it is no such text.
    """
    host, colon, port = text.strip().rpartition(":")
    bare = host.strip("[]")
    whole = colon and bare and port.isdecimal() and int(port) <= _HIGHEST_PORT
    if not whole or (":" in bare and host != f"[{bare}]"):
        raise ValueError(f"{option} takes HOST:PORT, 127.0.0.1:8080 for instance, not {text!r}")
    return Address(bare, int(port))
