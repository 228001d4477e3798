from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from traceproof.recorder.repository import RepositoryFacts
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recorder.untracked import UntrackedFile
from traceproof.secretsources import learn_untracked, new_redactor
from traceproof.settings import Settings

KEY = "sk-ant-api03-fake-key-of-the-tests-0123456789"
TOKEN = "sk-ant-oat01-fake-token-of-the-tests-0123456789"

Making = Callable[..., Settings]


@pytest.fixture
def make(tmp_path: Path) -> Making:
    """Make settings for a command, with these variables in its environment."""

    def make(*command: str, patterns: bool = False, **environment: str) -> Settings:
        environment = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", **environment}
        return Settings(
            command, tmp_path, environment, Store(tmp_path / "s"), Task(), patterns=patterns
        )

    return make


def test_secrets_of_the_environment_are_known(make: Making) -> None:
    redactor = new_redactor(make("claude", ANTHROPIC_API_KEY=KEY))

    assert redactor.mask_text(f"it is {KEY}.") == "it is <SECRET:ANTHROPIC_API_KEY>."


def test_secrets_of_the_agents_own_files_are_known(make: Making, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".claude"
    folder.mkdir(parents=True)
    (folder / ".credentials.json").write_text(f'{{"claudeAiOauth":{{"accessToken":"{TOKEN}"}}}}')

    redactor = new_redactor(make("claude"))

    assert TOKEN not in redactor.mask_text(f"it is {TOKEN}.")


def test_a_folder_in_the_place_of_such_a_file_has_no_secrets(make: Making, tmp_path: Path) -> None:
    (tmp_path / "home" / ".claude" / ".credentials.json").mkdir(parents=True)

    assert new_redactor(make("claude")).mask_text("as it is") == "as it is"


def test_secrets_that_git_would_show_are_known(make: Making, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    url = f"https://me:{TOKEN}@example.com/x.git"
    subprocess.run(["git", "remote", "add", "origin", url], cwd=tmp_path, check=True)

    assert TOKEN not in new_redactor(make("aider")).mask_text(url)


def test_secrets_that_mcp_servers_are_configured_with_are_known(
    make: Making, tmp_path: Path
) -> None:
    server = {"command": "sums", "args": [f"--api-key={TOKEN}"], "env": {"SUMS_TOKEN": KEY}}
    (tmp_path / "home").mkdir()
    text = json.dumps({"mcpServers": {"sums": server}})
    (tmp_path / "home" / ".claude.json").write_text(text)

    masked = new_redactor(make("claude")).mask_text(text)

    assert "--api-key=<SECRET:API_KEY>" in masked
    assert '"SUMS_TOKEN": "<SECRET:SUMS_TOKEN>"' in masked


def test_secrets_of_untracked_env_files_are_known_before_these_are_stored(make: Making) -> None:
    redactor = new_redactor(make("aider"))
    file = UntrackedFile(".env.local", "100644", f"SERVICE_TOKEN={TOKEN}\n".encode())

    learn_untracked(redactor, RepositoryFacts("dirty", untracked=(file,)))

    assert redactor.mask_text(TOKEN) == "<SECRET:SERVICE_TOKEN>"


def test_secrets_of_a_patch_are_known_before_it_is_stored(make: Making) -> None:
    redactor = new_redactor(make("aider"))
    patch = f"diff --git a/.env b/.env\n@@ -1 +0,0 @@\n-SERVICE_TOKEN={TOKEN}\n".encode()

    learn_untracked(redactor, RepositoryFacts("dirty", patch=patch))

    assert redactor.mask_text(TOKEN) == "<SECRET:SERVICE_TOKEN>"


def test_secrets_of_the_command_line_are_known(make: Making) -> None:
    redactor = new_redactor(make("agent", "--api-key", "made-up-key-1"))

    assert redactor.mask_text("made-up-key-1") == "<SECRET:API_KEY>"


def test_secrets_of_the_whole_working_tree_are_known(make: Making, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / ".env").write_text("SERVICE_TOKEN=made-up-token-1\n")
    settings = make("aider")

    for folder in (tmp_path, tmp_path / "apps"):
        redactor = new_redactor(replace(settings, cwd=folder))
        assert redactor.mask_text("made-up-token-1") == "<SECRET:SERVICE_TOKEN>"


def test_what_only_looks_like_a_secret_is_masked_if_asked_for(make: Making) -> None:
    text = f"somebody else's: {KEY}"

    assert new_redactor(make("aider")).mask_text(text) == text
    assert KEY not in new_redactor(make("aider", patterns=True)).mask_text(text)
