"""A command line finds its adapter; every adapter answers everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder import agents
from traceproof.recorder.agents import Agent, Identity, LaunchContext, ModelCall


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("claude", "claude-code"),
        ("/x/claude.exe -p hi", "claude-code"),
        ("env A=1 claude", "claude-code"),
        ("npx @anthropic-ai/claude-code@latest", "claude-code"),
        ("aider --model x", "aider"),
        ("python -m aider", "aider"),
        ("uvx --from aider-chat aider", "aider"),
        ("codex exec hi", "codex"),
        ("npx -y @openai/codex@latest exec hi", "codex"),
        ("python agent.py claude", "generic"),
        ("./myagent aider", "generic"),
    ],
)
def test_a_command_line_finds_its_adapter(line: str, name: str) -> None:
    assert agents.recognise(line.split()).name == name


def test_names_find_adapters() -> None:
    assert all(agents.by_name(name).name == name for name in agents.AGENTS)
    with pytest.raises(ValueError, match="unknown agent 'x': known are claude-code, aider"):
        agents.by_name("x")


def test_an_unknown_agent_goes_by_its_program() -> None:
    def name(line: str) -> str:
        argv = line.split()
        return agents.name_of(agents.recognise(argv), argv)

    assert name("env A=1 ./bin/myagent -x") == "myagent"
    assert name("npx @anthropic-ai/claude-code") == "claude-code"


@pytest.mark.parametrize("agent", agents.AGENTS.values(), ids=agents.AGENTS)
def test_of_a_call_that_says_nothing_nothing_is_claimed(agent: Agent, tmp_path: Path) -> None:
    assert agent.identify({}, {}) == Identity()
    assert agent.purpose(ModelCall()) == agents.MAIN
    assert agent.version_from({}) is None
    assert agent.version(["/nonexistent/x"], {}) is None
    assert agent.configured_hosts({}) == set()
    assert agent.environment(LaunchContext({})) == {}
    assert agent.notes(LaunchContext({})) == []
    assert all(path.is_absolute() for path in agent.credential_files({}, tmp_path, tmp_path))
