"""Claude Code: its own tracing switched on, its sessions and sub-agents by their headers.

Seen with 2.1.197, against a scripted API. Its spans (`claude_code.llm_request`, `.tool`,
`.tool.execution`, `.interaction`) say which API call and which command belongs to which tool call;
they are taken in by `traceproof.recorder.receiver`, not here.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from traceproof.recorder.agents import base, command, packages
from traceproof.recorder.agents.generic import Generic

_PACKAGE = "@anthropic-ai/claude-code"
_SWITCHES = ("CLAUDE_CODE_ENABLE_TELEMETRY", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA")
_TRACE_EXPORTERS = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_OTHER_EXPORTERS = ("OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")
_SETTINGS = ("settings.json", "settings.local.json")
_SHELL_FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
_OFF = frozenset({"0", "false", "no", "off"})

_FLUSH_MILLISECONDS = "250"
"""How long its spans wait in a batch: OTEL_BSP_SCHEDULE_DELAY is ignored, this one is not."""

_LEGACY_SESSION = re.compile(r"_session_([0-9a-fA-F-]{36})$")
_USER_AGENT = re.compile(r"claude-(?:cli|code)/(\d[\w.+-]*)")
_VERSION = re.compile(r"\d+\.\d+\.\d+[\w.+-]*$")

_BY_SYSTEM = {
    "tasked with summarizing conversations": "compact",
    "You are an assistant for performing a web search tool use": "web_search",
}
_BY_PROMPT = {
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.": "compact",
    "Your task is to create a detailed summary of the conversation so far": "compact",
    "[SUGGESTION MODE:": "suggestion",
    "Web page content:": "web_fetch",
}


class ClaudeCode(Generic):
    """Claude Code, by npm, by its own installer, or by npx."""

    name = "claude-code"
    programs = frozenset({"claude", _PACKAGE})
    base_urls = (base.BaseUrl("ANTHROPIC_BASE_URL", "api.anthropic.com"),)
    user_agents = ("claude-cli/", "claude-code/")
    sub_agent_id = re.compile(r"\bagentId: ([0-9a-f]{8,})\b")

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version in the npm package's metadata, or in the installer's file name."""
        paths = (program.path for program in command.programs(argv, env))
        found = (_installed(path.resolve()) for path in paths if path is not None)
        return next((version for version in found if version), None)

    def environment(self, context: base.LaunchContext) -> dict[str, str]:
        """Switch its tracing on, to our receiver, where the user has not set it up already.

        Only variables for traces are set, so that metrics and logs go where the user sends them,
        or nowhere.
        """
        if not context.receiver or _refusal(context.env):
            return {}
        variables = {
            **dict.fromkeys(_SWITCHES, "1"),
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{context.receiver}/v1/traces",
            "OTEL_TRACES_EXPORT_INTERVAL": _FLUSH_MILLISECONDS,
            # needed with any base URL but Anthropic's own, which its settings may set unseen
            "CLAUDE_CODE_PROPAGATE_TRACEPARENT": "1",
            **_silenced(context.env),
        }
        return variables | ({"TRACEPARENT": context.traceparent} if context.traceparent else {})

    def shell_hooks(self, env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return the variable for its shell, with the one that it would choose itself.

        `CLAUDE_CODE_SHELL_PREFIX` would do as well, but it changes the text of every command, and
        is put before hooks, the status line and MCP servers too.
        """
        chosen = _shell(env)
        return [base.ShellHook("CLAUDE_CODE_SHELL", chosen)] if chosen else []

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that it has other shells for its own needs."""
        return "/bin/sh for its hooks, its status line and what it looks up for itself"

    def notes(self, context: base.LaunchContext) -> list[str]:
        """Say so where its tracing was left as the user set it."""
        refusal = _refusal(context.env) if context.receiver else ""
        return [refusal] if refusal else []

    def identify(self, headers: Mapping[str, str], body: Mapping[str, object]) -> base.Identity:
        """Read the session from its headers, else from the request's `metadata.user_id`."""
        return base.Identity(
            headers.get("x-claude-code-session-id") or _session_of(body.get("metadata")),
            headers.get("x-claude-code-agent-id", ""),
            headers.get("x-claude-code-parent-agent-id", ""),
        )

    def purpose(self, call: base.ModelCall) -> str:
        """Return `main`, or the side call that its path, its parameters or its prompts tell."""
        if call.path.endswith("/count_tokens"):
            return "count_tokens"
        if call.head.get("max_tokens") == 1 and call.prompt.strip() == "quota":
            return "quota"
        if _asks_for_title(call.head):
            return "title"
        by_system = (purpose for mark, purpose in _BY_SYSTEM.items() if mark in call.system)
        prompt = call.prompt.lstrip()
        by_prompt = (purpose for mark, purpose in _BY_PROMPT.items() if prompt.startswith(mark))
        return next(chain(by_system, by_prompt), base.MAIN)

    def version_from(self, headers: Mapping[str, str]) -> str | None:
        """Return the version in `User-Agent: claude-cli/2.1.197 (external, sdk-cli)`."""
        found = _USER_AGENT.match(headers.get("user-agent", ""))
        return found and found[1]

    def credential_files(self, env: Mapping[str, str], home: Path, cwd: Path) -> list[Path]:
        """Return its login, and the settings whose `env` block may hold keys and tokens."""
        configured = env.get("CLAUDE_CONFIG_DIR")
        folder = Path(configured) if configured else home / ".claude"
        return [
            folder / ".credentials.json",
            *(at / name for at in (folder, cwd / ".claude") for name in _SETTINGS),
            (folder if configured else home) / ".claude.json",
        ]


def _refusal(env: Mapping[str, str]) -> str:
    """Return why its tracing is not ours to set up, as one line, or nothing."""
    for name in _SWITCHES:
        if env.get(name, "").lower() in _OFF:
            return f"{name}={env[name]} is set: no spans of Claude Code's own in this trace"
    for name in _TRACE_EXPORTERS:
        if env.get(name):
            return f"{name} is set: Claude Code's own spans go there, not into this trace"
    return ""


def _silenced(env: Mapping[str, str]) -> dict[str, str]:
    """Keep metrics and logs off where only our switch would turn them on."""
    if env.get(_SWITCHES[0]):
        return {}
    return {name: "none" for name in _OTHER_EXPORTERS if env.get(name)}


def _session_of(metadata: object) -> str:
    """Read `user_<hash>_account_<uuid>_session_<uuid>`, or the JSON that came after it."""
    user = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    if not isinstance(user, str):
        return ""
    legacy = _LEGACY_SESSION.search(user)
    if legacy:
        return legacy[1]
    try:
        fields = msgspec.json.decode(user)
    except msgspec.DecodeError:
        return ""
    session = fields.get("session_id") if isinstance(fields, dict) else None
    return session if isinstance(session, str) else ""


def _asks_for_title(head: Mapping[str, object]) -> bool:
    """Tell a request for JSON with a title and nothing else: the model differs by mode."""
    value: object = head
    for key in ("output_config", "format", "schema", "properties"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return isinstance(value, Mapping) and set(value) == {"title"}


def _installed(path: Path) -> str | None:
    """Return the version of an installed program: `versions/2.1.197`, or a package.json above."""
    if path.parent.name == "versions" and _VERSION.match(path.name):
        return path.name
    return packages.npm_version(path, _PACKAGE)


def _shell(env: Mapping[str, str]) -> str:
    """Return the shell that it chooses: bash or zsh, the user's own first."""
    named = [env.get("CLAUDE_CODE_SHELL", ""), env.get("SHELL", "")]
    order = ["bash", "zsh"] if "bash" in named[1] else ["zsh", "bash"]
    found = {name: shutil.which(name, path=env.get("PATH", os.defpath)) or "" for name in order}
    usual = [f"{folder}/{name}" for name in order for folder in _SHELL_FOLDERS]
    candidates = [*(path for path in named if "bash" in path or "zsh" in path), found[order[0]]]
    candidates += [*usual, found[order[1]]]
    return next((path for path in candidates if path and os.access(path, os.X_OK)), "")
