"""What a shared proxy says of itself when it listens."""

from __future__ import annotations

import msgspec


class Announcement(msgspec.Struct):
    """How to reach a proxy; `variables` are the environment of whoever goes through it.

    `fetch` names files that a user on another machine needs, and their URLs; `NAME:TOKEN` stands
    for the user's own in both. `listen` is one address a listener.
    """

    url: str
    mode: str
    listen: list[str]
    variables: dict[str, str]
    fetch: dict[str, str]
    ca_sha256: str
    store: str
    users: list[str]
    pages: dict[str, str]
    text: str = ""
    """The variables as lines for a shell."""
    remarks: list[str] = []
    """For people, one line each."""
