"""Which program a command line really starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents.command import names, position, programs

NOWHERE = {"PATH": "/nonexistent"}


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("claude -p hi", "claude"),
        ("/opt/bin/claude -p hi", "/opt/bin/claude"),
        ("env -u HOME -i A=1 B=2 claude", "claude"),
        ("env --unset=HOME -- claude", "claude"),
        ("nice -n 5 timeout -k 3 60 claude", "claude"),
        ("stdbuf -oL nohup claude", "claude"),
        ("npx -y @anthropic-ai/claude-code@2.1.197 -p hi", "@anthropic-ai/claude-code@2.1.197"),
        ("npx --package @anthropic-ai/claude-code -- claude", "claude"),
        ("npm exec --package=@anthropic-ai/claude-code -- claude", "claude"),
        ("pnpm dlx @anthropic-ai/claude-code", "@anthropic-ai/claude-code"),
        ("uvx --python 3.12 --from aider-chat aider --model x", "aider"),
        ("uv tool run aider", "aider"),
        ("uv run --with aider-chat aider", "aider"),
        ("pipx run --spec aider-chat aider", "aider"),
        ("python3.11 -W ignore -m aider --model x", "aider"),
        ("/usr/bin/python -m aider", "aider"),
        ("node --require x cli.js", "cli.js"),
    ],
)
def test_the_last_program_is_the_one_that_is_run(line: str, last: str) -> None:
    assert programs(line.split(), NOWHERE)[-1].word == last


@pytest.mark.parametrize(
    "argv",
    [
        ["python", "-c", "print()", "claude"],
        ["npm", "install", "claude"],
        ["uv", "pip", "install", "aider"],
        ["env"],
        ["timeout", "5"],
    ],
)
def test_a_wrapper_that_runs_nothing_known_is_the_last(argv: list[str]) -> None:
    assert [program.word for program in programs(argv, NOWHERE)] == argv[:1]


def test_an_empty_command_line_names_nothing() -> None:
    assert programs([], NOWHERE) == []


@pytest.mark.parametrize(
    ("argv", "package"),
    [
        (["npx", "-p", "@anthropic-ai/claude-code", "x"], "@anthropic-ai/claude-code"),
        (["uvx", "--from=aider-chat==0.86.2", "x"], "aider-chat"),
        (["pipx", "run", "--spec", "aider-chat[browser]", "x"], "aider-chat"),
    ],
)
def test_packages_named_are_programs_too(argv: list[str], package: str) -> None:
    assert package in names(programs(argv, NOWHERE)[1])


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def names_on_path(command: str, folder: Path) -> set[str]:
    return names(programs([command], {"PATH": str(folder)})[-1])


def test_a_symlink_goes_by_the_npm_package_it_leads_to(tmp_path: Path) -> None:
    package = tmp_path / "lib/node_modules/@anthropic-ai/claude-code"
    (tmp_path / "cc").symlink_to(executable(package / "bin/claude.exe"))

    assert {"cc", "claude", "@anthropic-ai/claude-code"} == names_on_path("cc", tmp_path)


def test_a_symlink_goes_by_the_folder_of_versions_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "c").symlink_to(executable(tmp_path / "share/claude/versions/2.1.197"))

    assert "claude" in names_on_path("c", tmp_path)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("codex exec hi", 0),
        ("env A=1 timeout 5 codex exec codex", 4),
        ("npx -y @openai/codex exec hi", 2),
        ("npx -p @openai/codex codex exec hi", 3),
        ("npx --package=codex codex exec hi", 2),
        ("npx", 0),
    ],
)
def test_the_place_of_the_program_that_is_run(line: str, at: int) -> None:
    assert position(line.split()) == at
