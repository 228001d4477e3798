"""opencode: its sessions and its sub-agents' by their headers, its side calls by their prompts.

Seen with 1.18.33, against a scripted API, with models of Anthropic and of OpenAI. Every sub-agent
is a session of its own whose calls name the session above; the result of the `task` call that ran
it has its id. A `baseURL` in the user's opencode.json wins over our variables: in reverse mode such
an address escapes the proxy, in forward mode its host has to be named with `--host`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import base, command, packages, shells
from traceproof.recorder.agents.generic import Generic

_PACKAGE = "opencode-"
"""Begins the names of the npm package, `opencode-ai`, and of its native ones."""

_USER_AGENT = re.compile(r"opencode/(\d[\w.+-]*)")
_SESSION = "x-session-id"
_PARENT = "x-parent-session-id"

_BY_SYSTEM = {
    "You are a title generator.": "title",
    "You are a context summarization agent.": "compact",
    "Summarize what was done in this conversation. Write like a pull request": "summary",
}
_CONFIGS = ("opencode.json", "opencode.jsonc")


class OpenCode(Generic):
    """opencode, by npm, by its own installer, or by npx."""

    name = "opencode"
    programs = frozenset({"opencode", "opencode-ai"})
    base_urls = (
        base.BaseUrl("ANTHROPIC_BASE_URL", "api.anthropic.com", "/v1"),
        base.BaseUrl("OPENAI_BASE_URL", "api.openai.com", "/v1"),
    )
    user_agents = ("opencode/",)
    sub_agent_id = re.compile(r'<task id="(ses_\w+)"')

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version in the npm package's metadata."""
        paths = (program.path for program in command.programs(argv, env))
        found = (packages.npm_version(path.resolve(), _PACKAGE) for path in paths if path)
        return next((version for version in found if version), None)

    def shell_hooks(self, env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return `SHELL`, with which it runs commands."""
        return shells.preferred(env)

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that all of its commands are reached."""
        return ""

    def identify(self, headers: Mapping[str, str], _body: Mapping[str, object]) -> base.Identity:
        """Read whose a call is: a session that names one above it is a sub-agent of that one."""
        own, parent = headers.get(_SESSION, ""), headers.get(_PARENT, "")
        return base.Identity(parent, own) if parent else base.Identity(own)

    def purpose(self, call: base.ModelCall) -> str:
        """Return `main`, or the side call that the system prompt tells."""
        system = call.system.lstrip()
        found = (purpose for mark, purpose in _BY_SYSTEM.items() if system.startswith(mark))
        return next(found, base.MAIN)

    def version_from(self, headers: Mapping[str, str]) -> str | None:
        """Return the version in `User-Agent: opencode/1.18.33 ai-sdk/provider-utils/4.0.46 …`."""
        found = _USER_AGENT.match(headers.get("user-agent", ""))
        return found and found[1]

    def credential_files(self, env: Mapping[str, str], home: Path, cwd: Path) -> list[Path]:
        """Return its logins and its settings, the user's, the project's and the one named."""
        data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode"
        settings = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "opencode"
        named = (env.get(name) for name in ("OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR"))
        return [
            data / "auth.json",
            data / "mcp-auth.json",
            settings / "config.json",
            *(file for folder in (settings, *_projects(cwd)) for file in _configs(folder)),
            *(file for path in named if path for file in (Path(path), *_configs(Path(path)))),
        ]


def _projects(cwd: Path) -> Iterator[Path]:
    """Yield where a project's settings may be: from here up to the root of the repository."""
    for folder in (cwd, *cwd.parents):
        yield folder
        yield folder / ".opencode"
        if (folder / ".git").exists():
            return


def _configs(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _CONFIGS)
