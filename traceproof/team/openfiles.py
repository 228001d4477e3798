"""How many files this process may have open: a shared proxy needs them by the hundred."""

from __future__ import annotations

import resource

WANTED = 65_536

_EACH = 4
"""A session's files are two, and its agent's connection and the server's two more."""


def allow_many() -> None:
    """Raise the soft limit, which is 1,024 in most places, as far as it goes without rights."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def sessions() -> int:
    """Return how many sessions may be open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (WANTED if soft == resource.RLIM_INFINITY else soft) // _EACH
