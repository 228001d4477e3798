"""Who may use the proxy, and what it says of itself: asked by the relay, answered elsewhere.

The relay asks before anything is dialled. It knows no tokens and no pages.
"""

from __future__ import annotations

from typing import Protocol


class Access(Protocol):
    """Answers at once, and never raises: it is asked on the relay's loop."""

    def user(self, proxy_authorization: str) -> str | None:
        """Return whom a Proxy-Authorization header's value names ("" = none was sent).

        None refuses the connection (407, `Proxy-Authenticate: Basic realm="traceproof"`).
        """

    def strip(self, path: str) -> tuple[str, str] | None:
        """Return the user that a base URL's path names, and the path without the token.

        For reverse mode, where agents send no Proxy-Authorization. None refuses the call (401).
        """

    def page(self, method: str, path: str, authorization: str) -> tuple[int, str, bytes] | None:
        """Return a page of the proxy's own (/healthz, /metrics): status, content type, body.

        Asked for an origin-form request to the proxy's own address, with its Authorization header's
        value ("" = none was sent); None if there is no such page.
        """

    def delay(self) -> float:
        """Return for how many seconds the next request must wait: the recording lags behind.

        Asked before a request is begun, and again when the time is over; 0 lets it go on.
        """
