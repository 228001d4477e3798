"""Whether a request may pass, and which server it is for: decided from its head alone.

Sans-io; the answers to what may not pass are made here and sent elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from traceproof.proxy.access import Access
from traceproof.proxy.destination import Lane
from traceproof.proxy.errors import REALM, error_bytes, response_bytes
from traceproof.proxy.hosts import Hosts
from traceproof.proxy.relay.aim import absolute
from traceproof.proxy.relay.head import RequestHead

UNKNOWN_USER = (
    "this proxy does not know you: put your user and token into the proxy's URL, "
    "http://USER:TOKEN@HOST:PORT, as `traceproof proxy` printed it"
)
UNKNOWN_URL = (
    "this base URL does not hold a token that is known here: use the one "
    "that `traceproof proxy` printed"
)
NO_PAGE = "this is a proxy, and has no such page: set HTTPS_PROXY to its URL"


class Refused(Exception):  # noqa: N818 (an answer, not an error)
    """A request that is answered by us; its connection ends with that."""

    def __init__(self, response: bytes) -> None:
        super().__init__()
        self.response = response


class Elsewhere(Exception):  # noqa: N818 (not an error)
    """A request that is not ours to read."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user


class Admitted(NamedTuple):
    """A request that may pass."""

    lane: Lane
    path: bytes
    """Path and query, as the server is asked for them."""


def admit(head: RequestHead, lane: Lane | None, hosts: Hosts, access: Access | None) -> Admitted:
    """Decide on a request.

    Args:
        head: Its head.
        lane: What its connection is for; None for a proxy's plain requests.
        hosts: The hosts that are read.
        access: Who may use the proxy.

    Raises:
        Refused: It gets an answer of ours.
        Elsewhere: It is for a host that is not read.
        Malformed: Its URL is none.
    """
    if head.method == "CONNECT":
        raise Refused(error_bytes(501, "CONNECT must be a connection's first request"))
    asked = absolute(head.target)
    if lane is None:
        if asked is None:
            raise Refused(_page(head, access) or error_bytes(404, NO_PAGE))
        user = admit_user(head, access)
        if not hosts.decrypts(asked.origin.host):
            raise Elsewhere(user)
        return Admitted(Lane(asked.origin, user=user), asked.path)
    path = asked.path if asked else head.target
    if lane.reverse and access is not None:
        return _strip(head, path, lane, access)
    return Admitted(lane, path)


def admit_user(head: RequestHead, access: Access | None) -> str:
    """Return whom a request to the proxy comes from; empty if nobody has to say so.

    Raises:
        Refused: It does not say so.
    """
    if access is None:
        return ""
    credentials = b", ".join(head.values(b"proxy-authorization")).decode("latin-1")
    user = access.user(credentials)
    if user is None:
        raise Refused(error_bytes(407, UNKNOWN_USER, [("proxy-authenticate", REALM)]))
    return user


def _strip(head: RequestHead, path: bytes, lane: Lane, access: Access) -> Admitted:
    page = _page(head, access)
    if page is not None:
        raise Refused(page)
    # Latin-1 takes every byte there and back.
    stripped = access.strip(path.decode("latin-1"))
    if stripped is None:
        raise Refused(error_bytes(401, UNKNOWN_URL, [("www-authenticate", REALM)]))
    user, rest = stripped
    return Admitted(lane._replace(user=user), rest.encode("latin-1"))


def _page(head: RequestHead, access: Access | None) -> bytes | None:
    if access is None:
        return None
    credentials = b", ".join(head.values(b"authorization")).decode("latin-1")
    page = access.page(head.method, head.target.decode("latin-1"), credentials)
    if page is None:
        return None
    status, content_type, body = page
    whole = response_bytes(status, content_type, body, [("connection", "close")])
    return whole.removesuffix(body) if head.method == "HEAD" else whole
