"""Codex: metadata of each call says who asks and why, settings say whom it asks.

Seen with 0.169.0. It reads no variable for the model's address, only its settings (`config.toml`,
`-c`). Over a web socket the headers are those of the first call alone; so what a message says of
itself goes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from traceproof.recorder.agents import base, codex_settings, command
from traceproof.recorder.agents.generic import Generic

_PACKAGE = "@openai/codex"
_METADATA = "x-codex-turn-metadata"
_ROOT = "/root"
"""What the main agent calls itself; the name of a sub-agent is a path below it."""

_PURPOSES = {"": base.MAIN, "turn": base.MAIN, "prewarm": "warm_up", "compaction": "compact"}
_USER_AGENT = re.compile(r"codex[\w-]*/(\d[\w.+-]*)")


class Codex(Generic):
    """Codex, by npm, by its installer, or by npx."""

    name = "codex"
    programs = frozenset({"codex", _PACKAGE})
    base_urls = (base.BaseUrl("", "api.openai.com", host_in=codex_settings.address),)
    sub_agent_id = re.compile(rf'"task_name":\s*"({_ROOT}/[^"]+)"')
    context_marks = (
        *Generic.context_marks,
        "<environment_context>",
        "<user_instructions>",
        "# AGENTS.md instructions",
        "<recommended_plugins>",
        "<skill>",
        "<subagent_notification>",
        "<turn_aborted>",
        "<user_shell_command>",
    )
    user_agents = ("codex_", "codex-", "codex/")

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version that the package around the program tells."""
        paths = (program.path for program in command.programs(argv, env))
        found = (_installed(path.resolve()) for path in paths if path is not None)
        return next((version for version in found if version), None)

    def arguments(
        self, argv: Sequence[str], env: Mapping[str, str], addresses: Mapping[base.BaseUrl, str]
    ) -> list[str]:
        """Add the model's address as a setting, right after the program."""
        at = command.position(argv) + 1
        setting, _, suffix = codex_settings.endpoint(env)
        told = [f'{setting}="{address}{suffix}"' for address in addresses.values()]
        options = [word for value in told for word in ("-c", value)]
        return [*argv[:at], *options, *argv[at:]]

    def shell_hooks(self, _env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return none: it runs the shell of the user's passwd entry, by its path."""
        return []

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that nothing is reached."""
        return "all of them: it runs the shell of the user's passwd entry by its path"

    def configured_hosts(self, env: Mapping[str, str]) -> set[str]:
        """Return the hosts that the user's settings name."""
        return base.hosts_of(codex_settings.urls(env))

    def identify(self, headers: Mapping[str, str], body: Mapping[str, object]) -> base.Identity:
        """Read the session and the agent from the call's metadata."""
        told = _told(headers, body)
        session = told.session_id or headers.get("session-id", "")
        if not (told.parent_thread_id or told.thread_source == "subagent"):
            return base.Identity(session, thread_id=told.thread_id)
        path = told.agent_name if told.agent_name.startswith(f"{_ROOT}/") else ""
        parent = path.rpartition("/")[0]
        return base.Identity(
            session,
            path or told.thread_id,
            "" if parent == _ROOT else parent,
            told.subagent_kind,
            told.thread_id,
        )

    def purpose(self, call: base.ModelCall) -> str:
        """Return `main`, or what the call's metadata says it is for."""
        if call.path.endswith("/responses/compact"):
            return "compact"
        kind = _told(call.headers, call.head).request_kind
        return _PURPOSES.get(kind, kind)

    def version_from(self, headers: Mapping[str, str]) -> str | None:
        """Return the version in `User-Agent: codex_exec/0.169.0 (…)`."""
        found = _USER_AGENT.match(headers.get("user-agent", ""))
        return found and found[1]

    def credential_files(self, env: Mapping[str, str], home: Path, cwd: Path) -> list[Path]:
        """Return its login, its `.env`, and the settings that may hold keys and headers."""
        folder = codex_settings.folder(env, home)
        return [
            folder / "auth.json",
            folder / ".env",
            folder / "config.toml",
            cwd / ".codex" / "config.toml",
        ]


# --- what a call says of itself -------------------------------------------------------------------


class _Told(msgspec.Struct):
    """What of the metadata is used."""

    session_id: str = ""
    thread_id: str = ""
    agent_name: str = ""
    parent_thread_id: str = ""
    thread_source: str = ""
    subagent_kind: str = ""
    request_kind: str = ""


def _told(headers: Mapping[str, str], body: Mapping[str, object]) -> _Told:
    """Read a call's metadata; what cannot be read says nothing."""
    given = body.get("client_metadata")
    own = given.get(_METADATA) if isinstance(given, Mapping) else None
    try:
        return msgspec.json.decode(str(own or headers.get(_METADATA) or "{}"), type=_Told)
    except msgspec.DecodeError:
        return _Told()


# --- what is installed ----------------------------------------------------------------------------


class _Package(msgspec.Struct):
    version: str = ""


def _installed(path: Path) -> str | None:
    """Return the version of an installed program; npm's own name of it ends in the platform."""
    files = [path.parent.parent / name for name in ("codex-package.json", "package.json")]
    for file in files:
        try:
            return msgspec.json.decode(file.read_bytes(), type=_Package).version or None
        except (OSError, msgspec.DecodeError):
            continue
    return None
