"""Codex, by what version 0.169.0 was seen to send and to obey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder.agents.base import Identity, ModelCall
from traceproof.recorder.agents.codex import Codex

CODEX = Codex()
SESSION = "01a1f958-4f86-7892-9861-428b97520c78"
OTHER = "01a1f95c-e2b8-7141-9f65-71b37d10ae1f"
AGENT = "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"
ROOT = "/root"
MAIN = {"session_id": SESSION, "thread_id": SESSION, "agent_name": ROOT, "request_kind": "turn"}
SUB = {
    **MAIN,
    "thread_id": OTHER,
    "agent_name": f"{ROOT}/count",
    "parent_thread_id": SESSION,
    "subagent_kind": "thread_spawn",
    "thread_source": "subagent",
}


def in_header(metadata: dict[str, Any]) -> dict[str, str]:
    return {"x-codex-turn-metadata": json.dumps(metadata)}


def in_message(metadata: dict[str, Any]) -> dict[str, object]:
    return {"client_metadata": in_header(metadata)}


def test_whose_a_call_is_stands_in_its_metadata() -> None:
    assert CODEX.identify(in_header(MAIN), {}) == Identity(SESSION, thread_id=SESSION)
    sub = Identity(SESSION, f"{ROOT}/count", "", "thread_spawn", OTHER)
    assert CODEX.identify(in_header(SUB), {}) == sub
    deeper = {**SUB, "agent_name": f"{ROOT}/count/part"}
    assert CODEX.identify(in_header(deeper), {}).parent_agent_id == f"{ROOT}/count"


def test_a_message_knows_better_than_the_upgrade_before_it() -> None:
    warm_up = in_header({**MAIN, "request_kind": "prewarm"})

    assert CODEX.identify(warm_up, in_message(SUB)).agent_id == f"{ROOT}/count"
    assert CODEX.purpose(ModelCall(headers=warm_up, head=in_message(MAIN))) == "main"


def test_a_sub_agent_without_a_name_goes_by_its_thread() -> None:
    nameless = {name: value for name, value in SUB.items() if name != "agent_name"}

    assert CODEX.identify(in_header(nameless), {}).agent_id == OTHER


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"session_id": 3}'])
def test_metadata_that_cannot_be_read_says_nothing(metadata: str) -> None:
    headers = {"x-codex-turn-metadata": metadata, "session-id": SESSION}

    assert CODEX.identify(headers, {"client_metadata": "odd"}) == Identity(SESSION)
    assert CODEX.purpose(ModelCall(headers=headers)) == "main"


@pytest.mark.parametrize(
    ("kind", "purpose"),
    [("turn", "main"), ("prewarm", "warm_up"), ("compaction", "compact"), ("memory", "memory")],
)
def test_what_a_call_is_for_stands_in_its_metadata(kind: str, purpose: str) -> None:
    call = ModelCall("/v1/responses", in_header({**MAIN, "request_kind": kind}))

    assert CODEX.purpose(call) == purpose
    assert CODEX.purpose(call._replace(path="/v1/responses/compact")) == "compact"


def test_a_sub_agent_is_named_in_the_result_of_the_call_that_started_it() -> None:
    found = CODEX.sub_agent_id.search(f'{{"task_name":"{ROOT}/count"}}')

    assert found is not None
    assert found[1] == f"{ROOT}/count"
    assert not CODEX.sub_agent_id.search(json.dumps({"task_name": ROOT}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Fix it.", "Fix it."),
        ("<environment_context>\n  <cwd>/w</cwd>", ""),
        ("# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>", ""),
        ("<user_shell_command>\nls", ""),
    ],
)
def test_what_it_adds_to_the_conversation_is_not_the_users(text: str, said: str) -> None:
    assert CODEX.said_by_user(text) == said


def test_its_calls_tell_its_version() -> None:
    assert CODEX.version_from({"user-agent": AGENT}) == "0.169.0"
    assert CODEX.version_from({"user-agent": "codex-tui/1.2.3-alpha.4 (x)"}) == "1.2.3-alpha.4"
    assert CODEX.version_from({}) is None
    assert CODEX.sent({"user-agent": AGENT})
    assert not CODEX.sent({"user-agent": "python"})


@pytest.mark.parametrize("package", ["codex-package.json", "package.json"])
def test_the_package_around_the_program_tells_its_version(tmp_path: Path, package: str) -> None:
    program = tmp_path / "bin" / "codex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    env = {"PATH": str(program.parent)}

    assert CODEX.version(["codex", "exec"], env) is None
    (tmp_path / package).write_text('{"version": "0.169.0"}')
    assert CODEX.version(["codex", "exec"], env) == "0.169.0"


def test_its_address_is_a_setting_right_after_the_program(tmp_path: Path) -> None:
    (base,) = CODEX.base_urls
    env = {"HOME": str(tmp_path)}
    line = ["npx", "@openai/codex", "exec", "hi"]

    told = CODEX.arguments(line, env, {base: "http://127.0.0.1:9"})
    assert told == [
        "npx",
        "@openai/codex",
        "-c",
        'openai_base_url="http://127.0.0.1:9/v1"',
        "exec",
        "hi",
    ]
    assert CODEX.arguments(line, env, {}) == line


def test_its_files_may_hold_secrets(tmp_path: Path) -> None:
    files = CODEX.credential_files({}, tmp_path, Path("/w"))
    assert files[0] == tmp_path / ".codex" / "auth.json"
    assert files[-1] == Path("/w/.codex/config.toml")
    moved = CODEX.credential_files({"CODEX_HOME": "/c"}, tmp_path, Path("/w"))
    assert moved[0] == Path("/c/auth.json")
