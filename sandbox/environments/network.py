"""What this machine needs to reach a network, for the commands of a build and nothing else.

Certificates of a company's own authority, its proxies, its package index: a build uses them by
environment variables and by one file that is gone before the image is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_BUNDLES: Final = (
    "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
)  # fmt: skip
_SYSTEM_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_USED_BY: Final = (*_BUNDLES, "NODE_EXTRA_CA_CERTS")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_OWN: Final = ("127.", "localhost", "[::1]", "0.0.0.0")  # noqa: S104 - looked for, not listened at


def authorities(environment: Mapping[str, str]) -> bytes:
    """Return the certificates that this machine trusts, as PEM; empty where none are found."""
    named = [environment[name] for name in _BUNDLES if environment.get(name)]
    for path in (*named, *_SYSTEM_BUNDLES):
        if Path(path).is_file():
            return Path(path).read_bytes()
    return b""


def trusting(bundle: str) -> dict[str, str]:
    """Return the variables by which programs trust the certificates in a file."""
    return dict.fromkeys(_USED_BY, bundle)


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name proxies, in both spellings."""
    found: dict[str, str] = {}
    for name in _PROXIES:
        value = environment.get(name) or environment.get(name.lower())
        if value:
            found |= {name: value, name.lower(): value}
    return found


def on_this_machine(proxy: Mapping[str, str]) -> bool:
    """Say whether a proxy listens on this machine alone, where a bridged container is deaf."""
    named = (value for name, value in proxy.items() if name.upper() != "NO_PROXY")
    hosts = (value.partition("://")[2] or value for value in named)
    return any(host.rpartition("@")[2].startswith(_OWN) for host in hosts)


def for_local() -> dict[str, str]:
    """Return the variables for a build on this machine."""
    kept = {name: os.environ[name] for name in _USED_BY if os.environ.get(name)}
    folder = os.environ.get("SSL_CERT_DIR")
    return kept | proxies(os.environ) | ({"SSL_CERT_DIR": folder} if folder else {})
