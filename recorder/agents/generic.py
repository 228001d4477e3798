"""Any agent at all: redirected by the usual variables, nothing known of its calls.

The other adapters start from this one and say what they know better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import base, command


class Generic:
    """An agent of which nothing is known."""

    name = "generic"
    programs: frozenset[str] = frozenset()
    """Names of its command, its package and its module: what a command line is matched with."""
    base_urls: Sequence[base.BaseUrl] = (
        base.BaseUrl("ANTHROPIC_BASE_URL", "api.anthropic.com"),
        base.BaseUrl("OPENAI_BASE_URL", "api.openai.com", "/v1"),
        base.BaseUrl("OPENAI_API_BASE", "api.openai.com", "/v1"),
    )

    sub_agent_id: re.Pattern[str] | None = None

    def recognises(self, argv: Sequence[str]) -> bool:
        """Tell whether a command line starts this agent, by the names of the program it runs."""
        return any(self.programs & command.names(program) for program in command.programs(argv))

    def version(self, _argv: Sequence[str], _env: Mapping[str, str]) -> str | None:
        """Return None: no file is known that would say it."""
        return None

    def environment(self, _context: base.LaunchContext) -> dict[str, str]:
        """Return nothing: what the proxy sets is enough."""
        return {}

    def notes(self, _context: base.LaunchContext) -> list[str]:
        """Return nothing to remark."""
        return []

    def configured_hosts(self, env: Mapping[str, str]) -> set[str]:
        """Return the hosts in the variables of `base_urls`."""
        return base.hosts_in(self.base_urls, env)

    def identify(self, _headers: Mapping[str, str], _body: Mapping[str, object]) -> base.Identity:
        """Return an identity of which nothing is known."""
        return base.Identity()

    def purpose(self, _call: base.ModelCall) -> str:
        """Return `main`: no side call is known."""
        return base.MAIN

    def version_from(self, _headers: Mapping[str, str]) -> str | None:
        """Return None: no header is known that would say it."""
        return None

    def credential_files(self, _env: Mapping[str, str], _home: Path, _cwd: Path) -> list[Path]:
        """Return none: secrets in the environment are masked for every agent."""
        return []
