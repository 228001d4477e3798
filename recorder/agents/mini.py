"""mini-swe-agent: LiteLLM's variables redirect it, and no call of it names a session.

Seen with 2.4.6 (LiteLLM 1.106.2). Its tool is `bash`; with a text-based configuration there is
none, and commands are blocks of text in the messages, which are not tool calls on the wire. It ends
by a command that prints a mark and is not told the model any more: that call stays unanswered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import base, intext, litellm, packages
from traceproof.recorder.agents.generic import Generic

_TASKS = (
    re.compile(r"Please solve this issue: (.*?)\n+You can execute bash commands and ", re.DOTALL),
    re.compile(
        r"<pr_description>\nConsider the following PR description:\n(.*?)\n</pr_description>",
        re.DOTALL,
    ),
)
"""What its own configurations say around the task, `mini*.yaml` and `swebench*.yaml`."""

_NAME = "mini-swe-agent"


class MiniSweAgent(Generic):
    """mini-swe-agent, installed by pip, pipx or uv, or run as a module."""

    name = _NAME
    programs = frozenset(
        {_NAME, "mini", "mini-e", "mini-extra", "minisweagent", "minisweagent.run.mini"}
    )
    base_urls = litellm.BASE_URLS
    in_text = intext.MINI
    context_marks = (
        *Generic.context_marks,
        "<returncode>",
        "<exception>",
        "Format error:",
        "Tool call error:",
        "Your previous response reached the output token limit",
    )

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version of the distribution beside the program, as its folder's name says."""
        return packages.distribution_version(argv, env, _NAME.replace("-", "_"))

    def said_by_user(self, text: str) -> str:
        """Return the task alone where its template is known; nothing of what a command printed."""
        task = next(filter(None, (template.match(text) for template in _TASKS)), None)
        return task[1].strip() if task else super().said_by_user(text)

    def shell_hooks(self, _env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return none: it runs `/bin/sh` by its path."""
        return []

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that nothing is reached."""
        return "all of them: it runs /bin/sh by its path"

    def credential_files(self, env: Mapping[str, str], home: Path, _cwd: Path) -> list[Path]:
        """Return the `.env` of its configuration folder, on Linux and on macOS."""
        config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
        folders = [config / _NAME, home / "Library" / "Application Support" / _NAME]
        named = env.get("MSWEA_GLOBAL_CONFIG_DIR")
        return [folder / ".env" for folder in ([Path(named)] if named else folders)]
