"""The agents that can be recorded: one adapter each, and the registry that knows them.

Whatever command is not recognised is recorded as `generic`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from traceproof.recorder.agents import command
from traceproof.recorder.agents.aider import Aider
from traceproof.recorder.agents.base import (
    MAIN,
    Agent,
    BaseUrl,
    Identity,
    LaunchContext,
    ModelCall,
    ShellHook,
    text_of,
)
from traceproof.recorder.agents.claude_code import ClaudeCode
from traceproof.recorder.agents.codex import Codex
from traceproof.recorder.agents.gemini import GeminiCli
from traceproof.recorder.agents.generic import Generic
from traceproof.recorder.agents.mini import MiniSweAgent
from traceproof.recorder.agents.opencode import OpenCode

__all__ = [
    "AGENTS",
    "MAIN",
    "Agent",
    "BaseUrl",
    "Identity",
    "LaunchContext",
    "ModelCall",
    "ShellHook",
    "by_name",
    "name_of",
    "recognise",
    "recognise_call",
    "text_of",
]

_GENERIC = Generic()

AGENTS: Mapping[str, Agent] = {
    agent.name: agent
    for agent in (
        ClaudeCode(),
        Aider(),
        Codex(),
        GeminiCli(),
        MiniSweAgent(),
        OpenCode(),
        _GENERIC,
    )
}
"""Every adapter by its name."""


def recognise(argv: Sequence[str]) -> Agent:
    """Return the adapter of the agent that a command line starts, else the generic one."""
    return next((agent for agent in AGENTS.values() if agent.recognises(argv)), _GENERIC)


def recognise_call(headers: Mapping[str, str]) -> Agent:
    """Return the adapter of the agent that sent a call, else the generic one.

    Header names are in lower case.
    """
    return next((agent for agent in AGENTS.values() if agent.sent(headers)), _GENERIC)


def name_of(agent: Agent, argv: Sequence[str]) -> str:
    """Return what to call the agent: one that is not known goes by the name of its program."""
    words = [program.word for program in command.programs(argv)]
    return Path(words[-1]).name if agent is _GENERIC and words else agent.name


def by_name(name: str) -> Agent:
    """Return the adapter of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in AGENTS:
        raise ValueError(f"unknown agent {name!r}: known are {', '.join(AGENTS)}")
    return AGENTS[name]
