"""The launched child's environment: its way to us, and in forward mode its trust in our CA.

A pure function; what it does not name stays as the user had it.
"""

from __future__ import annotations

from collections.abc import Mapping

from traceproof.proxy.hosts import Hosts
from traceproof.proxy.trust import EXTENDING, REPLACING, REPLACING_IF_SET, TrustFiles
from traceproof.proxy.upstream import NO_PROXY_VARIABLES

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_PROXY_VARIABLES_IF_SET = ("ALL_PROXY", "all_proxy")


def child_environment(
    environ: Mapping[str, str], *, proxy: str, trust: TrustFiles, hosts: Hosts
) -> dict[str, str]:
    """Return the variables to set for the child, over those it inherits.

    ALL_PROXY and the like are replaced only where they are set: they would lead past us, and a
    child without them should not gain one. NO_PROXY keeps the user's entries and this machine,
    and loses what would keep a decrypted host away from us (we honour the whole list ourselves
    when we dial).

    Args:
        environ: What the child would inherit.
        proxy: Our URL, `http://127.0.0.1:<port>`.
        trust: The bundles of the store.
        hosts: The hosts that are decrypted.
    """
    changes = dict.fromkeys(_PROXY_VARIABLES, proxy)
    changes |= {name: proxy for name in _PROXY_VARIABLES_IF_SET if environ.get(name)}
    changes |= dict.fromkeys(NO_PROXY_VARIABLES, child_no_proxy(environ, hosts))
    changes |= dict.fromkeys(REPLACING, str(trust.bundle))
    changes |= {name: str(trust.bundle) for name in REPLACING_IF_SET if environ.get(name)}
    changes |= dict.fromkeys(EXTENDING, str(trust.extra))
    return changes


def reverse_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep a child's calls to our base URLs away from its proxy.

    Where it has none there is nothing to set: on some systems a NO_PROXY alone would make a program
    overlook the system's own settings.
    """
    if not any(environ.get(name) for name in (*_PROXY_VARIABLES, *_PROXY_VARIABLES_IF_SET)):
        return {}
    entries = _no_proxy_entries(environ)
    # Beside another entry, `*` is not understood by everyone.
    value = "*" if "*" in entries else ",".join(entries)
    return dict.fromkeys(NO_PROXY_VARIABLES, value)


def child_no_proxy(environ: Mapping[str, str], hosts: Hosts) -> str:
    """Return the child's NO_PROXY: the union of both spellings and this machine, less our hosts."""
    return ",".join(entry for entry in _no_proxy_entries(environ) if not hosts.bypassed_by(entry))


def _no_proxy_entries(environ: Mapping[str, str]) -> list[str]:
    values = ",".join(environ.get(name, "") for name in NO_PROXY_VARIABLES)
    return list(dict.fromkeys([*values.replace(",", " ").split(), *LOOPBACK]))
