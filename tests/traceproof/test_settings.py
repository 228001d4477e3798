from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.settings import Settings

KEY = "sk-ant-api03-fake-key-of-the-tests-0123456789"


def settings(*command: str, **more: Any) -> Settings:
    return Settings(command, Path("/work"), {"KEY": KEY}, Store(Path("/store")), Task(), **more)


@pytest.mark.parametrize(
    ("command", "agent", "shown"),
    [
        (["claude", "-p", "hi"], "claude-code", "claude-code"),
        (["/opt/bin/aider"], "aider", "aider"),
        (["./my-agent", "--fast"], "generic", "my-agent"),
    ],
)
def test_the_agent_is_told_by_its_command(command: list[str], agent: str, shown: str) -> None:
    assert settings(*command).agent.name == agent
    assert settings(*command).display_name == shown


def test_the_user_may_know_better() -> None:
    assert settings("./wrapper", agent_name="claude-code").agent.name == "claude-code"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"agent_name": "nosuch"}, "unknown agent 'nosuch'"),
        ({"hosts": ("https://x.example",)}, "--host takes a host name"),
        ({"routes": ("api.anthropic.com",)}, "--route takes HOST=URL"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_started(
    more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        settings("true", **more).check()


def test_what_is_right_passes() -> None:
    settings("true", hosts=("*.example.com",), routes=("a.example=http://127.0.0.1:8",)).check()


def test_the_environment_is_not_shown() -> None:
    assert KEY not in repr(settings("true"))
