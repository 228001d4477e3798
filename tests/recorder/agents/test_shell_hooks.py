"""What makes each agent start another program for its shells, by its own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents import ShellHook, by_name

BASH = "/bin/bash"
ENV = {"PATH": "/usr/bin:/bin", "SHELL": BASH}


def hooks(name: str, env: dict[str, str] = ENV) -> list[ShellHook]:
    return by_name(name).shell_hooks(env)


def test_each_agent_has_its_own() -> None:
    assert hooks("claude-code") == [ShellHook("CLAUDE_CODE_SHELL", BASH)]
    assert hooks("opencode") == [ShellHook("SHELL", BASH)]
    assert hooks("aider") == [ShellHook("SHELL", BASH)]
    assert hooks("gemini-cli") == [ShellHook("PATH", "/usr/bin/bash")]
    assert hooks("codex") == hooks("mini-swe-agent") == []


def test_of_an_agent_that_is_not_known_all_that_may_help() -> None:
    found = hooks("generic")

    assert found[0] == ShellHook("SHELL", BASH)
    assert {ShellHook("PATH", f"/usr/bin/{name}") for name in ("sh", "bash")} <= set(found)


@pytest.mark.parametrize("name", ["claude-code", "gemini-cli", "codex", "mini-swe-agent", "aider"])
def test_what_is_not_reached_is_said(name: str) -> None:
    assert by_name(name).beyond_hooks(ENV)


def executable(folder: Path, name: str) -> str:
    path = folder / name
    path.touch(mode=0o755)
    return str(path)


def test_claude_code_is_given_the_shell_that_it_would_choose(tmp_path: Path) -> None:
    zsh, other = executable(tmp_path, "zsh"), executable(tmp_path, "my-bash")
    fish = executable(tmp_path, "fish")
    path = {"PATH": f"{tmp_path}:/bin"}

    def chosen(**env: str) -> str:
        (hook,) = hooks("claude-code", path | env)
        return hook.shell

    assert chosen(CLAUDE_CODE_SHELL=other, SHELL=BASH) == other
    assert chosen(CLAUDE_CODE_SHELL=fish, SHELL=BASH) == BASH
    assert chosen(SHELL=other) == other
    assert chosen(SHELL=f"{tmp_path}/no-bash-here") == BASH
    assert chosen(SHELL=fish) == zsh
    assert chosen() == zsh
