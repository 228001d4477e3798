"""Gemini CLI: side calls by their prompts and their path, its version in the User-Agent.

Seen with 0.61.0, against a scripted API. No call of it names a session; its sub-agents run in the
same process and are not told apart. Its own telemetry is left as the user has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from traceproof.recorder.agents import base, command, packages, shells
from traceproof.recorder.agents.generic import Generic

_PACKAGE = "@google/gemini-cli"
_FOLDER = ".gemini"
_USER_AGENT = re.compile(r"GeminiCLI(?:-[\w-]+)?/(\d[\w.+-]*)/")
_BASE_URL = "GOOGLE_GEMINI_BASE_URL"
_CHOSEN = ("GOOGLE_GENAI_USE_GCA", "GOOGLE_GENAI_USE_VERTEXAI")
_CHOICE = "selectedType"
_UNSURE = (
    f"without security.auth.{_CHOICE} in its settings, Gemini CLI refuses {_BASE_URL}, "
    'which reverse mode sets: with an API key, "gemini-api-key" is what to put there'
)
_WHOLE = ":generateContent"
"""Turns are streamed, side calls are not."""

_BY_SYSTEM = {
    "You are a specialized Task Routing AI.": "router",
    "You are the **Lead Orchestrator** for an AI system.": "router",
    "determines whether a conversational AI assistant is stuck": "loop_check",
    "You are an expert code-editing assistant": "edit_correction",
    "responsible for distilling chat history into": "compact",
    "You are an expert context compressor.": "compact",
    "You are an expert Context Memory Manager.": "compact",
}
_BY_PROMPT = {
    "Analyze *only* the content and structure of your immediately preceding": "next_speaker",
    "Summarize the following tool output": "summary",
    "Summarize the user's primary intent or goal in this conversation": "title",
    "The following output from the tool": "compact",
    "Follow the user's instructions to process the authorized URLs.": "web_fetch",
    "Follow the user's instructions below using the provided webpage": "web_fetch",
}


def _vertex_host(env: Mapping[str, str]) -> str:
    location = env.get("GOOGLE_CLOUD_LOCATION", "")
    if location in {"us", "eu"}:
        return f"aiplatform.{location}.rep.googleapis.com"
    regional = location not in {"", "global"}
    return f"{location}-aiplatform.googleapis.com" if regional else "aiplatform.googleapis.com"


class GeminiCli(Generic):
    """Gemini CLI, by npm or npx."""

    name = "gemini-cli"
    programs = frozenset({"gemini", "gemini-cli", _PACKAGE})
    base_urls = (
        base.BaseUrl(_BASE_URL, "generativelanguage.googleapis.com"),
        base.BaseUrl("GOOGLE_VERTEX_BASE_URL", "aiplatform.googleapis.com", host_in=_vertex_host),
        base.BaseUrl("CODE_ASSIST_ENDPOINT", "cloudcode-pa.googleapis.com"),
    )
    user_agents = ("GeminiCLI/", "GeminiCLI-")
    context_marks = (
        *Generic.context_marks,
        "<session_context>",
        "<hook_context>",
        "Here is the user's editor context as a JSON object.",
        "Here is a summary of changes in the user's editor context",
        "System: Potential loop detected.",
    )

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version in the npm package's metadata."""
        paths = (program.path for program in command.programs(argv, env))
        found = (packages.npm_version(path.resolve(), _PACKAGE) for path in paths if path)
        return next((version for version in found if version), None)

    def shell_hooks(self, env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return `PATH`, where it looks for bash."""
        return [hook for hook in shells.on_path(env) if Path(hook.shell).name == "bash"]

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that it has other shells for its own needs."""
        return "/bin/sh for what it looks up for itself"

    def notes(self, context: base.LaunchContext) -> list[str]:
        """Say so where it will refuse its base URL.

        With one and no choice in its settings it takes us for a gateway of its own kind, and
        without a terminal ends with code 41, "Invalid auth method selected.".
        """
        return [_UNSURE] if _would_guess(context) else []

    def purpose(self, call: base.ModelCall) -> str:
        """Return `main`, or the side call that its prompts tell; `utility` for any other."""
        by_system = (purpose for mark, purpose in _BY_SYSTEM.items() if mark in call.system)
        prompt = call.prompt.lstrip()
        by_prompt = (purpose for mark, purpose in _BY_PROMPT.items() if prompt.startswith(mark))
        other = "utility" if call.path.endswith(_WHOLE) else base.MAIN
        return next(chain(by_system, by_prompt), other)

    def version_from(self, headers: Mapping[str, str]) -> str | None:
        """Return the version in `User-Agent: GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; …)`."""
        found = _USER_AGENT.match(headers.get("user-agent", ""))
        return found and found[1]

    def credential_files(self, env: Mapping[str, str], home: Path, cwd: Path) -> list[Path]:
        """Return its logins, its settings, and the `.env` files that it looks for upwards."""
        home = Path(env.get("GEMINI_CLI_HOME") or home)
        named = env.get("GOOGLE_APPLICATION_CREDENTIALS")
        return [
            home / _FOLDER / "oauth_creds.json",
            home / _FOLDER / "mcp-oauth-tokens.json",
            *(folder / _FOLDER / "settings.json" for folder in (home, cwd)),
            *(file for folder in (home, cwd, *cwd.parents) for file in _dotenv(folder)),
            *([Path(named)] if named else []),
        ]


def _would_guess(context: base.LaunchContext) -> bool:
    """Tell whether our base URL changes how it authenticates."""
    env = context.env
    chosen = any(env.get(name) == "true" for name in _CHOSEN) or env.get(_BASE_URL)
    return context.mode == "reverse" and not chosen and not _settled(env)


def _settled(env: Mapping[str, str]) -> bool:
    """Tell whether the user's settings say how to authenticate."""
    home = env.get("GEMINI_CLI_HOME") or env.get("HOME", "")
    try:
        return _CHOICE in Path(home, _FOLDER, "settings.json").read_text()
    except (OSError, ValueError):
        return False


def _dotenv(folder: Path) -> Iterator[Path]:
    yield from (folder / _FOLDER / ".env", folder / ".env")
