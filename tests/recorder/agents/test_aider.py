"""Aider, by what version 0.86.2 was seen to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents.aider import Aider
from traceproof.recorder.agents.base import Identity, ModelCall

AIDER = Aider()
COMMIT = (
    "You are an expert software engineer that generates concise, one-line Git commit messages "
    "based on the provided diffs."
)
SUMMARY = "*Briefly* summarize this partial conversation about programming.\nInclude less detail"


@pytest.mark.parametrize(
    ("system", "purpose"),
    [
        (COMMIT, "commit_message"),
        ("a prefix for this model\n" + COMMIT, "commit_message"),
        (SUMMARY, "summary"),
        ("Act as an expert software developer.", "main"),
        ("", "main"),
    ],
)
def test_side_calls_are_told_by_their_system_prompt(system: str, purpose: str) -> None:
    assert AIDER.purpose(ModelCall(system=system)) == purpose


def test_a_prompt_that_quotes_a_side_call_is_still_a_turn() -> None:
    assert AIDER.purpose(ModelCall(system="Act as an expert.", prompt=COMMIT)) == "main"


def test_its_calls_name_no_session() -> None:
    headers = {"user-agent": "OpenAI/Python 2.20.0", "x-stainless-lang": "python"}

    assert AIDER.identify(headers, {"model": "gpt-4o"}) == Identity()
    assert AIDER.version_from(headers) is None


def test_each_providers_variable_redirects_it() -> None:
    anthropic = {x.variable for x in AIDER.base_urls if x.host == "api.anthropic.com"}
    openai = {x.variable for x in AIDER.base_urls if x.host == "api.openai.com"}

    assert anthropic == {"ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"}
    assert openai == {"OPENAI_API_BASE", "OPENAI_BASE_URL"}


def venv(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/python3.11/site-packages/aider_chat-0.86.2.dist-info").mkdir(parents=True)
    for name in ("aider", "python"):
        (folder / "bin" / name).write_text("#!/bin/sh\n")
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"


def test_its_version_is_that_of_the_distribution_beside_it(tmp_path: Path) -> None:
    tools = venv(tmp_path / "venv")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aider").symlink_to(tools / "aider")

    assert AIDER.version([str(tools / "aider")], {}) == "0.86.2"
    assert AIDER.version(["aider"], {"PATH": str(tmp_path / "bin")}) == "0.86.2"
    assert AIDER.version([str(tools / "python"), "-m", "aider"], {}) == "0.86.2"


def test_its_credentials_are_at_home_in_the_repository_and_here(tmp_path: Path) -> None:
    home, repository = tmp_path / "home", tmp_path / "repository"
    here = repository / "a" / "b"
    here.mkdir(parents=True)
    (repository / ".git").mkdir()

    assert AIDER.credential_files({}, home, here) == [
        home / ".aider" / "oauth-keys.env",
        home / ".env",
        home / ".aider.conf.yml",
        repository / ".env",
        repository / ".aider.conf.yml",
        here / ".env",
        here / ".aider.conf.yml",
    ]
