"""Commands that an agent takes out of what the model wrote, where they are no calls of the API.

An adapter says how; this module holds what the two agents that do so have in common.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class InText(NamedTuple):
    """How an agent finds commands in an answer, and how it tells the model what came of them.

    `find` returns the commands in a text, in order, or none where the agent would run none of it.
    `tells` says whether a user's message is what came of a command.
    """

    find: Callable[[str], list[str]]
    tells: Callable[[str, str], bool]
    """Takes the command, then the message."""


_ACTION = re.compile(r"```mswea_bash_command\s*\n(.*?)\n```", re.DOTALL)
_OBSERVATION = ("<returncode>", "<exception>")

_SHELLS = ("bash", "sh", "shell", "cmd", "batch", "powershell", "ps1", "zsh", "fish", "ksh", "csh")
_FENCES = tuple(f"```{shell}" for shell in (*_SHELLS, "tcsh"))
_EDIT = re.compile(r"<{5,9} SEARCH>?\s*$")


def one_action(text: str) -> list[str]:
    """Return mini-swe-agent's command; it runs none where there is more than one."""
    found = [action.strip() for action in _ACTION.findall(text)]
    return found if len(found) == 1 else []


def is_observation(_command: str, text: str) -> bool:
    """Tell whether mini-swe-agent tells what came of a command."""
    return text.lstrip().startswith(_OBSERVATION)


def shell_blocks(text: str) -> list[str]:
    """Return the shell blocks of an answer to Aider that are no edits; the same is run once."""
    lines, blocks, at = text.splitlines(), list[str](), 0
    while at < len(lines):
        line, at = lines[at], at + 1
        edits = any(_EDIT.match(following.strip()) for following in lines[at : at + 2])
        if not line.strip().startswith(_FENCES) or edits:
            continue
        start = at
        while at < len(lines) and not lines[at].strip().startswith("```"):
            at += 1
        blocks.append("\n".join(lines[start:at]).strip())
        at += 1
    return list(dict.fromkeys(filter(None, blocks)))


def is_output(command: str, text: str) -> bool:
    """Tell whether Aider tells what a command printed."""
    return any(f"Output from {line.strip()}\n" in text for line in command.splitlines())


MINI = InText(one_action, is_observation)
AIDER = InText(shell_blocks, is_output)
