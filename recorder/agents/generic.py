"""Any agent at all: redirected by the usual variables, nothing known of its calls.

The other adapters start from this one and say what they know better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import base, command, shells
from traceproof.recorder.agents.intext import InText


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
    in_text: InText | None = None
    context_marks: tuple[str, ...] = ("<system-reminder>",)
    """How a text in a user's message begins that the agent adds of its own accord."""

    user_agents: tuple[str, ...] = ()
    """How the User-Agent of its calls begins, where that is its own."""

    def recognises(self, argv: Sequence[str]) -> bool:
        """Tell whether a command line starts this agent, by the names of the program it runs."""
        return any(self.programs & command.names(program) for program in command.programs(argv))

    def version(self, _argv: Sequence[str], _env: Mapping[str, str]) -> str | None:
        """Return None: no file is known that would say it."""
        return None

    def environment(self, _context: base.LaunchContext) -> dict[str, str]:
        """Return nothing: what the proxy sets is enough."""
        return {}

    def arguments(
        self,
        argv: Sequence[str],
        _env: Mapping[str, str],
        _addresses: Mapping[base.BaseUrl, str],
    ) -> list[str]:
        """Return the command line as it is: the variables suffice."""
        return list(argv)

    def shell_hooks(self, env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return all that may help: `SHELL`, and every shell on the `PATH`."""
        return [*shells.preferred(env), *shells.on_path(env)]

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say what no variable reaches."""
        return "shells that are started by their paths"

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

    def said_by_user(self, text: str) -> str:
        """Return the text, unless it begins with a mark of `context_marks`."""
        return "" if text.lstrip().startswith(self.context_marks) else text

    def sent(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a call is this agent's, by its User-Agent."""
        return headers.get("user-agent", "").startswith(self.user_agents)

    def version_from(self, _headers: Mapping[str, str]) -> str | None:
        """Return None: no header is known that would say it."""
        return None

    def credential_files(self, _env: Mapping[str, str], _home: Path, _cwd: Path) -> list[Path]:
        """Return none: secrets in the environment are masked for every agent."""
        return []
