from __future__ import annotations

import pytest

from traceproof.recorder import approvalmodes


@pytest.mark.parametrize(
    ("agent", "words", "expected"),
    [
        ("claude-code", "claude -p Hi", ("auto", "default")),
        ("claude-code", "claude --print --permission-mode=plan Hi", ("auto", "plan")),
        ("claude-code", "claude --permission-mode acceptEdits -p Hi", ("auto", "acceptEdits")),
        (
            "claude-code",
            "claude --permission-mode bypassPermissions",
            ("bypassed", "bypassPermissions"),
        ),
        (
            "claude-code",
            "claude --dangerously-skip-permissions",
            ("bypassed", "--dangerously-skip-permissions"),
        ),
        ("claude-code", "claude", None),
        ("claude-code", "claude -- -p", None),
        ("claude-code", "claude --permission-mode", None),
        ("codex", "codex exec Hi", ("auto", "exec")),
        ("codex", "codex -a never", ("auto", "never")),
        ("codex", "codex -a on-request", None),
        (
            "codex",
            "codex exec --dangerously-bypass-approvals-and-sandbox Hi",
            ("bypassed", "--dangerously-bypass-approvals-and-sandbox"),
        ),
        ("gemini-cli", "gemini --approval-mode yolo -p Hi", ("bypassed", "yolo")),
        ("gemini-cli", "gemini -y", ("bypassed", "-y")),
        ("gemini-cli", "gemini --approval-mode=auto_edit -p Hi", ("auto", "auto_edit")),
        ("gemini-cli", "gemini", None),
        ("opencode", "opencode run Hi", ("auto", "run")),
        ("opencode", "opencode run --auto Hi", ("bypassed", "--auto")),
        ("opencode", "opencode", None),
        ("mini-swe-agent", "mini -y -t Hi", ("bypassed", "-y")),
        ("mini-swe-agent", "mini -t Hi", None),
        ("aider", "aider --yes-always", None),
    ],
)
def test_the_command_line_says_whether_anybody_is_asked(
    agent: str, words: str, expected: tuple[str, str] | None
) -> None:
    found = approvalmodes.mode(agent, words.split())

    assert (found and (found.word, found.source)) == expected
    assert found is None or found.evidence == "mode"
