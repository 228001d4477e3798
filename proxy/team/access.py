"""Who may use a shared proxy: the answer to each Proxy-Authorization, and to a base URL's path.

A user may add a label of his own to his name (`ada+task7`): it names a session. Opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from traceproof.proxy.team.users import UserFile, is_name
from traceproof.recorder.secrets import Secret

Page = tuple[int, str, bytes]
Pages = Callable[[str, str, bool], "Page | None"]
"""From method, path and whether the reader may see figures to a page."""

_LABEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_IN_PATH = re.compile(r"/@([^/?]*)(?=[/?]|\Z)")
_MOST_SEEN = 10_000


class Credentials(NamedTuple):
    """What somebody gave to be let in; `name` is empty where a token stands alone."""

    name: str
    label: str = ""
    token: str = ""


class TeamAccess:
    """Admits users by their tokens; where none is required, a name is taken as it is given."""

    def __init__(
        self,
        users: UserFile,
        *,
        beyond: bool,
        pages: Pages,
        delay: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Take the users of a file; `beyond` tells that other machines reach the proxy."""
        self._users = users
        self._beyond = beyond
        self._pages = pages
        self._delay = delay
        self._seen: dict[str, str] = {}

    @property
    def required(self) -> bool:
        """Whether a token is needed: beyond this machine always, else once there was a user.

        Else whoever was removed last would be let in by his name.
        """
        self._users.current()
        return self._beyond or self._users.found

    def user(self, proxy_authorization: str) -> str | None:
        """Return whom a header names (`ada`, or `ada+label`); None to refuse."""
        return self._admit(parse_authorization(proxy_authorization))

    def strip(self, path: str) -> tuple[str, str] | None:
        """Return whom the path of a base URL names (`/@ada:TOKEN/v1`), and the rest of it."""
        found = _IN_PATH.match(path)
        given = _credentials(unquote(found[1])) if found else None
        user = self._admit(given)
        rest = path[found.end() :] if found else path
        return None if user is None else (user, rest if rest.startswith("/") else f"/{rest}")

    def page(self, method: str, path: str, authorization: str) -> Page | None:
        """Return a page of the proxy's own."""
        allowed = not self._beyond or self._owner(parse_authorization(authorization)) is not None
        return self._pages(method, path.partition("?")[0], allowed)

    def delay(self) -> float:
        """Return for how many seconds the next request must wait."""
        return self._delay()

    def secrets_of(self, user: str) -> list[Secret]:
        """Return the token that a user was last let in with, for his sessions to mask."""
        token = self._seen.get(user)
        return [Secret("TRACEPROOF_TOKEN", token)] if token else []

    def _admit(self, given: Credentials | None) -> str | None:
        if self.required:
            name = self._owner(given)
        else:
            name = given.name if given and is_name(given.name) else ""
        if name is None or given is None:
            return name
        if given.token and len(self._seen) < _MOST_SEEN:
            self._seen[name] = given.token
        return f"{name}+{given.label}" if name and given.label else name

    def _owner(self, given: Credentials | None) -> str | None:
        if given is None:
            return None
        return self._users.current().owner(given.token, given.name)


def split_user(user: str) -> tuple[str, str]:
    """Return the name and the label of a user as he was admitted.

    >>> split_user("ada+task7"), split_user("ada")
    (('ada', 'task7'), ('ada', ''))
    """
    name, _, label = user.partition("+")
    return name, label


def parse_authorization(value: str) -> Credentials | None:
    """Read `Basic` (name and token) or `Bearer` (a token); None for anything else."""
    scheme, _, rest = value.strip().partition(" ")
    match scheme.lower():
        case "bearer" if rest.strip():
            return Credentials("", "", rest.strip())
        case "basic":
            try:
                return _credentials(base64.b64decode(rest.strip(), validate=True).decode())
            except (binascii.Error, ValueError):
                return None
    return None


def _credentials(text: str) -> Credentials:
    """Read `name+label:token`; a label that is none is left out."""
    who, _, token = text.partition(":")
    name, label = split_user(who)
    return Credentials(name, label if _LABEL.fullmatch(label) else "", token)
