"""Which hosts' clients do not trust our certificates: told from how their connections end.

Fed by whoever speaks TLS with the clients; it opens nothing and reads no certificate.
"""

from __future__ import annotations

import logging
import re
from collections import Counter

log = logging.getLogger("traceproof.proxy")

_DISTRUST = re.compile(
    r"alert (?:unknown ca|access denied|decrypt error|(?:bad|unsupported) certificate\b"
    r"|certificate (?:unknown|expired|revoked))"
)
"""The alerts with which clients say that they do not trust a certificate, in OpenSSL's words.

OpenSSL (Python, curl) and rustls say `unknown ca`, Go `bad certificate`, Java `certificate
unknown`.
"""

_SILENT = 2
"""How many connections must be given up in silence before that counts as distrust.

Node, Bun and GnuTLS (git) look at the certificate after the handshake and close without an alert or
a word; with TLS 1.3 Node's end of it never leaves. An agent that ends with a connection it did not
need yet looks the same; so one does not count, nor do any if ever a request came for that host:
distrust does not come and go, and who meets it tries again.
"""


class Distrust:
    """Counts, by host; a connection is told apart by any key that its events share."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._mute: dict[object, str] = {}
        self._trusting: set[str] = set()
        self._closing = False

    @property
    def untrusted(self) -> Counter[str]:
        """Hosts whose client does not trust the CA: it said so, or never says a word."""
        silent = {
            host: count
            for host, count in self._silent.items()
            if count >= _SILENT and host not in self._trusting
        }
        return self._refused + Counter(silent)

    def established(self, key: object, host: str) -> None:
        """Wait for a request: only that shows that an agent trusts us."""
        self._mute[key] = host

    def failed(self, host: str, error: str) -> None:
        """Note a client that broke the handshake off with an alert, or by not speaking TLS."""
        if _DISTRUST.search(error):
            self._refused[host] += 1
        log.warning("the client broke off TLS for %s: %s", host, error)

    def gave_up(self, host: str) -> None:
        """Note a client that has seen our certificate and left the handshake without a word."""
        if not self._closing:
            self._silent[host] += 1

    def heard(self, key: object) -> None:
        """Note that an agent has sent a request."""
        host = self._mute.pop(key, None)
        if host is not None:
            self._trusting.add(host)

    def left(self, key: object) -> None:
        """Note that an agent has closed a connection, perhaps without a word."""
        host = self._mute.pop(key, None)
        if host is not None:
            self.gave_up(host)

    def closing(self) -> None:
        """Expect nothing of the connections that are still there: it is us who close them."""
        self._closing = True
