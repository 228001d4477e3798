"""Certificate bundles: the roots the environment trusts, alone for us, with our CA for the child.

Python, curl and git replace their roots by the file a variable names, so the child's file must be
a concatenation; Node adds to its own, so there a short file will do. Holds no key.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("traceproof.proxy")

REPLACING = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "CODEX_CA_CERTIFICATE",
    "AWS_CA_BUNDLE",
)
"""Variables whose file replaces a program's roots; the child gets them all."""

REPLACING_IF_SET = (
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "DENO_CERT",
    "NIX_SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
"""The same, but setting them anew would override what a user's configuration files say."""

EXTENDING = ("NODE_EXTRA_CA_CERTS",)
"""Variables whose file adds to a program's roots."""

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

_CERTIFICATE = re.compile(
    rb"-----BEGIN (?P<kind>(?:TRUSTED )?CERTIFICATE)-----.+?-----END (?P=kind)-----", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """PEM files in the store."""

    roots: Path
    """What the environment trusts: upstream servers are verified against it."""
    bundle: Path
    """The same and our CA, for variables that replace a program's roots."""
    extra: Path
    """Our CA and what NODE_EXTRA_CA_CERTS named, for variables that add to them."""


def write_trust(folder: Path, environ: Mapping[str, str], authority: bytes) -> TrustFiles:
    """Write the bundles; files are named by their content, so recordings do not disturb each other.

    Args:
        folder: An existing folder of the store.
        environ: The environment the agent would have had.
        authority: Our CA's certificate, PEM.

    Raises:
        OSError: The folder cannot be written.
    """
    named = [environ.get(name, "") for name in (*REPLACING, *REPLACING_IF_SET, *EXTENDING)]
    roots = _certificates([*_system_roots(), *map(_read, filter(None, named))])
    extra = _certificates([_read(environ[name]) for name in EXTENDING if environ.get(name)])
    return TrustFiles(
        roots=_write(folder, "roots", _join(roots)),
        bundle=_write(folder, "bundle", _join([*roots, authority.strip()])),
        extra=_write(folder, "extra", _join([*extra, authority.strip()])),
    )


def _system_roots() -> list[bytes]:
    """Return the machine's roots, or certifi's where it has none (a bare container)."""
    default = ssl.get_default_verify_paths().cafile
    for path in filter(None, (default, *SYSTEM_BUNDLES)):
        if Path(path).is_file():
            return [_read(path)]
    import certifi  # noqa: PLC0415 (mitmproxy brings it; a machine with roots needs no import)

    return [_read(certifi.where())]


def _read(path: str) -> bytes:
    """Read a bundle; one that cannot be read is left out, as the agent itself would do."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        log.warning("certificate bundle left out: %s", error)
        return b""


def _certificates(bundles: Iterable[bytes]) -> list[bytes]:
    """Return the certificates of bundles, each once; keys and comments are dropped."""
    found = (match.group() for bundle in bundles for match in _CERTIFICATE.finditer(bundle))
    return list(dict.fromkeys(found))


def _join(certificates: Iterable[bytes]) -> bytes:
    return b"\n".join(certificates) + b"\n"


def _write(folder: Path, name: str, content: bytes) -> Path:
    target = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}.pem"
    # Not by its name alone: a cloned repository may bring a file of that name.
    if target.is_symlink() or not target.is_file() or target.read_bytes() != content:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(target)
        except OSError:
            Path(temporary).unlink()
            raise
    return target
