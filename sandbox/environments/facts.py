"""What a workshop has: its operating system, machine, and the system's packages."""

from __future__ import annotations

from typing import Final, NamedTuple

from traceproof.sandbox.environments.workshop import Workshop, must

_ASK: Final = r"""
uname -m
(. /etc/os-release && echo "$PRETTY_NAME") 2>/dev/null || uname -s
locale -a 2>/dev/null | tr '\n' ' '; echo
test -e /usr/share/zoneinfo/Asia/Kolkata && echo zones || echo none
dpkg-query -W -f '${Package}=${Version}\n' 2>/dev/null | sort
"""


class Facts(NamedTuple):
    """What a lock says about the system."""

    machine: str
    os: str
    locales: tuple[str, ...]
    """As `locale -a` writes them: `C.utf8`, `de_DE.utf8`."""
    zones: bool
    """Whether it knows time zones."""
    packages: tuple[str, ...]


def facts(shop: Workshop) -> Facts:
    """Ask a workshop what it is.

    Raises:
        ImageFailed: it has no shell.
    """
    machine, name, locales, zones, *packages = must(
        shop, ["sh", "-c", _ASK], "the base image has no shell"
    ).splitlines()
    return Facts(machine, name, tuple(locales.split()), zones == "zones", tuple(packages))
