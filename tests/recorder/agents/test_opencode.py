"""opencode, by what version 1.18.33 was seen to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceproof.recorder import agents
from traceproof.recorder.agents.base import Identity, ModelCall
from traceproof.recorder.agents.opencode import OpenCode

OPENCODE = OpenCode()
AGENT = "opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14"
SESSION, SUB = "ses_e06a16137ffeH7AWFk0ESYzmMR", "ses_e06a156b6ffeirDjIINvHIJTLB"


@pytest.mark.parametrize(
    "line",
    ["opencode run hi", "/home/ada/.opencode/bin/opencode", "npx -y opencode-ai@1.18.33 run"],
)
def test_its_command_lines_are_recognised(line: str) -> None:
    assert agents.recognise(line.split()) is agents.AGENTS["opencode"]


def test_a_session_is_told_by_its_header() -> None:
    headers = {"user-agent": AGENT, "x-session-affinity": SESSION, "x-session-id": SESSION}

    assert OPENCODE.identify(headers, {}) == Identity(SESSION)
    assert OPENCODE.sent(headers)
    assert OPENCODE.version_from(headers) == "1.18.33"


def test_a_sub_agents_session_names_the_one_above_it() -> None:
    headers = {"x-parent-session-id": SESSION, "x-session-id": SUB}

    assert OPENCODE.identify(headers, {}) == Identity(SESSION, SUB)


def test_the_result_of_a_task_has_the_sub_agents_id() -> None:
    result = f'<task id="{SUB}" state="completed">\n<task_result>\nDone.\n</task_result>\n</task>'

    found = OPENCODE.sub_agent_id.search(result)

    assert found is not None
    assert found[1] == SUB


@pytest.mark.parametrize(
    ("system", "purpose"),
    [
        ("You are a title generator. You output ONLY a thread title. Nothing else.", "title"),
        ("You are a context summarization agent. You are given a conversation", "compact"),
        ("Summarize what was done in this conversation. Write like a pull request des", "summary"),
        ("You are OpenCode, the best coding agent on the planet.", "main"),
        ("You are OpenCode. Say: You are a title generator.", "main"),
        ("", "main"),
    ],
)
def test_side_calls_are_told_by_their_system_prompt(system: str, purpose: str) -> None:
    assert OPENCODE.purpose(ModelCall(system=system)) == purpose


@pytest.mark.parametrize("package", ["opencode-ai", "opencode-linux-x64"])
def test_the_version_is_that_of_the_npm_package(tmp_path: Path, package: str) -> None:
    folder = tmp_path / "node_modules" / package
    (folder / "bin").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": package, "version": "1.18.33"}))
    program = folder / "bin" / "opencode"
    program.touch(mode=0o755)
    link = tmp_path / "opencode"
    link.symlink_to(program)

    assert OPENCODE.version([str(link), "run"], {}) == "1.18.33"
    assert OPENCODE.version(["opencode"], {"PATH": str(tmp_path / "empty")}) is None


def test_its_files_with_secrets_are_known(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "project" / "src"
    (tmp_path / "project" / ".git").mkdir(parents=True)
    env = {"OPENCODE_CONFIG": str(tmp_path / "mine.json")}

    files = OPENCODE.credential_files(env, home, work)

    assert files[0] == home / ".local/share/opencode/auth.json"
    assert home / ".config/opencode/opencode.jsonc" in files
    assert tmp_path / "project/opencode.json" in files
    assert tmp_path / "project/src/.opencode/opencode.json" in files
    assert tmp_path / "mine.json" in files
    assert tmp_path / "opencode.json" not in files


def test_files_are_looked_for_where_xdg_says(tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    files = OPENCODE.credential_files(env, tmp_path, tmp_path)

    assert files[0] == tmp_path / "data/opencode/auth.json"
    assert tmp_path / "config/opencode/opencode.json" in files


def test_both_providers_are_redirected_with_the_path_it_wants() -> None:
    assert {(base.variable, base.host, base.suffix) for base in OPENCODE.base_urls} == {
        ("ANTHROPIC_BASE_URL", "api.anthropic.com", "/v1"),
        ("OPENAI_BASE_URL", "api.openai.com", "/v1"),
    }
