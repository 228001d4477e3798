"""Aider: LiteLLM's variables redirect it, the system prompt tells its side calls.

Seen with aider 0.86.2 (litellm 1.81.10). Its calls name no session and no version. Its `.env` files
override the environment, and `--openai-api-base` overrides both: in reverse mode such an address
escapes the proxy, in forward mode its host has to be named with `--host`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import base, intext, litellm, packages, shells
from traceproof.recorder.agents.generic import Generic

_BY_SYSTEM = {
    "generates concise, one-line Git commit messages": "commit_message",
    "*Briefly* summarize this partial conversation about programming.": "summary",
}


class Aider(Generic):
    """Aider, installed by pip, pipx or uv, or run as a module."""

    name = "aider"
    programs = frozenset({"aider", "aider-chat"})
    base_urls = litellm.BASE_URLS
    in_text = intext.AIDER

    def version(self, argv: Sequence[str], env: Mapping[str, str]) -> str | None:
        """Return the version of the distribution beside the program, as its folder's name says."""
        return packages.distribution_version(argv, env, "aider_chat")

    def shell_hooks(self, env: Mapping[str, str]) -> list[base.ShellHook]:
        """Return `SHELL`, which it uses where it has a terminal."""
        return shells.preferred(env)

    def beyond_hooks(self, _env: Mapping[str, str]) -> str:
        """Say that without a terminal it uses another one."""
        return "/bin/sh, by which it runs commands where it has no terminal"

    def purpose(self, call: base.ModelCall) -> str:
        """Return `main`, or the side call that the system prompt tells."""
        found = (purpose for mark, purpose in _BY_SYSTEM.items() if mark in call.system)
        return next(found, base.MAIN)

    def credential_files(self, _env: Mapping[str, str], home: Path, cwd: Path) -> list[Path]:
        """Return its `.env`, OAuth and settings files, in the order in which it reads them."""
        folders = dict.fromkeys((home, _git_root(cwd), cwd))
        return [
            home / ".aider" / "oauth-keys.env",
            *(folder / name for folder in folders for name in (".env", ".aider.conf.yml")),
        ]


def _git_root(folder: Path) -> Path:
    """Return the folder above (or at) this one that holds `.git`, else this one."""
    return next((at for at in (folder, *folder.parents) if (at / ".git").exists()), folder)
