"""What a user pastes into a shell so that his agents go through a shared proxy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from traceproof.proxy.environment import child_environment
from traceproof.proxy.hosts import Hosts
from traceproof.proxy.routes import Origin
from traceproof.proxy.trust import TrustFiles
from traceproof.recorder import agents
from traceproof.recorder.agents import BaseUrl
from traceproof.team.settings import Address

CA = "$HOME/.traceproof/ca.pem"
BUNDLE = "$HOME/.traceproof/bundle.pem"
"""Where a user on another machine keeps the proxy's certificates."""

ANYBODY = "NAME:TOKEN"


class Paste(NamedTuple):
    """Variables to set, and the files that must be fetched before, by their URL."""

    variables: dict[str, str]
    fetch: dict[str, str]

    @property
    def text(self) -> str:
        """The lines for a shell."""
        return "\n".join([*self._fetching(), *map(_export, self.variables.items())])

    def _fetching(self) -> list[str]:
        if not self.fetch:
            return []
        curl = 'curl -fsS --noproxy "*"'
        return [
            'mkdir -p "$HOME/.traceproof"',
            *(f'{curl} {shlex.quote(url)} -o "{path}"' for path, url in self.fetch.items()),
        ]


def forward(
    address: Address, user: str, hosts: Hosts, environ: Mapping[str, str], trust: TrustFiles | None
) -> Paste:
    """Return the lines for forward mode.

    Args:
        address: How the proxy is reached.
        user: `NAME:TOKEN`, a name alone, or "".
        hosts: The hosts that are decrypted.
        environ: The environment that they are added to.
        trust: The certificates on this machine; None to fetch them from the proxy.
    """
    url = address.url.replace("://", f"://{user}@", 1) if user else address.url
    fetch = {} if trust else {CA: f"{address.url}/ca.pem", BUNDLE: f"{address.url}/bundle.pem"}
    places = trust or TrustFiles(roots=Path(BUNDLE), bundle=Path(BUNDLE), extra=Path(CA))
    return Paste(child_environment(environ, proxy=url, trust=places, hosts=hosts), fetch)


def reverse(bases: Mapping[Origin, str], origins: Mapping[BaseUrl, Origin], user: str) -> Paste:
    """Return the lines for reverse mode: each agent's base URLs, with the user in the path."""
    prefix = f"/@{user}" if user else ""
    variables = {base.variable: bases[at] + prefix + base.suffix for base, at in origins.items()}
    return Paste(variables, {})


def base_urls() -> dict[BaseUrl, Origin]:
    """Return the base URLs of all agents, one a variable, and the servers they stand for."""
    known = (base for agent in agents.AGENTS.values() for base in agent.base_urls)
    first = {base.variable: base for base in reversed(list(known))}
    return {base: Origin("https", base.host, 443) for base in first.values()}


def _export(variable: tuple[str, str]) -> str:
    name, value = variable
    return f"export {name}=" + (f'"{value}"' if value.startswith("$HOME") else shlex.quote(value))
