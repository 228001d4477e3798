"""What the relay's own TLS is set up with: our certificates, and what servers are verified by.

The standard library reads a key from a file alone: it gets one in memory where there is such a
thing, else one that nobody else can read and that is gone at once. No session secrets are written
(SSLKEYLOGFILE).
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from traceproof.proxy.authority import Authority

_HTTP1 = "http/1.1"
KEPT = 500
"""Sets of names whose context is kept: a client can ask for any name."""
_OPTIONS = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
_LENIENT = ssl.Options(getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0))
"""Older Pythons (Debian 12's 3.11.2) set it: a connection that was cut would look ended."""


class Contexts:
    """One context for each set of names we stand for, and two for servers."""

    def __init__(self, authority: Authority, roots: Path) -> None:
        self._authority = authority
        self._serving: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._plain = verifying(roots)
        self._offering = verifying(roots)
        self._offering.set_alpn_protocols([_HTTP1])

    def serving(self, names: Sequence[str]) -> ssl.SSLContext:
        """Return what to stand for these names with; HTTP/1.1 is all it speaks."""
        key = tuple(dict.fromkeys(filter(None, names)))
        if key not in self._serving:
            if len(self._serving) >= KEPT:
                del self._serving[next(iter(self._serving))]
            self._serving[key] = self._certified(key)
        return self._serving[key]

    def dialling(self, *, alpn: bool) -> ssl.SSLContext:
        """Return what to verify a server with; `alpn` offers it HTTP/1.1 by name."""
        return self._offering if alpn else self._plain

    def _certified(self, names: Sequence[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options = (context.options | _OPTIONS) & ~_LENIENT
        context.set_alpn_protocols([_HTTP1])
        certificate = self._authority.issue(names).public_bytes(serialization.Encoding.PEM)
        key = self._authority.leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        with _unseen(certificate + key) as path:
            context.load_cert_chain(path)
        return context


def verifying(roots: Path) -> ssl.SSLContext:
    """Return a context that verifies servers against a bundle, names included.

    Raises:
        ValueError: The bundle holds no certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options = (context.options | _OPTIONS) & ~_LENIENT
    try:
        context.load_verify_locations(roots)
    except ssl.SSLError:
        raise ValueError(f"{roots} holds no certificates") from None
    return context


@contextmanager
def _unseen(data: bytes) -> Iterator[str]:
    """Give a file that holds `data` while the block lasts, in memory where that can be."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with os.fdopen(os.memfd_create("traceproof-leaf"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.TemporaryDirectory(prefix="traceproof-") as folder:  # 0700
        path = Path(folder, "leaf.pem")
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
        yield str(path)
