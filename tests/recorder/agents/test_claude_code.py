"""Claude Code, by what version 2.1.197 was seen to send and to obey."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from traceproof.recorder.agents.base import Identity, LaunchContext, ModelCall
from traceproof.recorder.agents.claude_code import ClaudeCode

CLAUDE = ClaudeCode()
RECEIVER = "http://127.0.0.1:4318/secret"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SESSION = "9ce3d8d8-1c7f-4b10-abdb-12f04e28ad86"


def context(**env: str) -> LaunchContext:
    return LaunchContext(env, receiver=RECEIVER, traceparent=PARENT)


def test_its_tracing_is_switched_on_for_traces_alone() -> None:
    assert CLAUDE.environment(context()) == {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "CLAUDE_CODE_PROPAGATE_TRACEPARENT": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{RECEIVER}/v1/traces",
        "OTEL_TRACES_EXPORT_INTERVAL": "250",
        "TRACEPARENT": PARENT,
    }
    assert CLAUDE.notes(context()) == []


def test_without_a_receiver_nothing_is_set() -> None:
    assert CLAUDE.environment(LaunchContext({})) == {}
    assert CLAUDE.notes(LaunchContext({"OTEL_TRACES_EXPORTER": "otlp"})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector.corp/v1/traces"),
        ("CLAUDE_CODE_ENABLE_TELEMETRY", "0"),
        ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "false"),
    ],
)
def test_what_the_user_set_for_traces_is_left_and_noted(name: str, value: str) -> None:
    given = context(**{name: value})

    assert CLAUDE.environment(given) == {}
    assert len(CLAUDE.notes(given)) == 1
    assert CLAUDE.notes(given)[0].startswith(name)


def test_a_users_own_metrics_and_logs_go_on_where_they_went() -> None:
    given = context(
        CLAUDE_CODE_ENABLE_TELEMETRY="1",
        OTEL_METRICS_EXPORTER="otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT="https://collector.corp",
    )

    added = CLAUDE.environment(given)

    assert "OTEL_TRACES_EXPORTER" in added
    assert not {"OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"} & set(added)


def test_our_switch_turns_no_metrics_or_logs_on() -> None:
    added = CLAUDE.environment(context(OTEL_METRICS_EXPORTER="otlp", OTEL_LOGS_EXPORTER="otlp"))

    assert (added["OTEL_METRICS_EXPORTER"], added["OTEL_LOGS_EXPORTER"]) == ("none", "none")


def test_whose_a_call_is_stands_in_its_headers() -> None:
    headers = {
        "x-claude-code-session-id": SESSION,
        "x-claude-code-agent-id": "a9418a2c67ef9ce14",
        "x-claude-code-parent-agent-id": "a501ea0c28487a36e",
    }

    expected = Identity(SESSION, "a9418a2c67ef9ce14", "a501ea0c28487a36e")
    assert CLAUDE.identify(headers, {}) == expected


@pytest.mark.parametrize(
    ("user", "session"),
    [
        (f"user_{'0' * 64}_account_{SESSION}_session_{SESSION}", SESSION),
        (msgspec.json.encode({"device_id": "d", "session_id": SESSION}).decode(), SESSION),
        ('{"session_id":7}', ""),
        ("[]", ""),
        ("somebody", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_else_the_session_stands_in_the_metadata(user: object, session: str) -> None:
    assert CLAUDE.identify({}, {"metadata": {"user_id": user}}) == Identity(session)


def test_metadata_of_another_shape_names_no_session() -> None:
    assert CLAUDE.identify({}, {"metadata": ["x"]}) == Identity()


def json_schema(*properties: str) -> dict[str, object]:
    schema = {"type": "object", "properties": {key: {"type": "string"} for key in properties}}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.mark.parametrize(
    ("call", "purpose"),
    [
        (ModelCall("/v1/messages", head={"max_tokens": 32000}, prompt="fix it"), "main"),
        (ModelCall("/v1/messages/count_tokens"), "count_tokens"),
        (ModelCall(head={"max_tokens": 1}, prompt="quota"), "quota"),
        (ModelCall(head={"max_tokens": 1}, prompt="hello"), "main"),
        (ModelCall(head={"max_tokens": 100}, prompt="quota"), "main"),
        (ModelCall(head={"model": "claude-haiku-4-5", **json_schema("title")}), "title"),
        (ModelCall(head={"model": "claude-sonnet-4-5", **json_schema("title")}), "title"),
        (ModelCall(head=json_schema("title", "body")), "main"),
        (ModelCall(head={"output_config": {"effort": "high"}}), "main"),
        (
            ModelCall(
                system="You are a helpful AI assistant tasked with summarizing conversations."
            ),
            "compact",
        ),
        (
            ModelCall(prompt="CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n- Do"),
            "compact",
        ),
        (
            ModelCall(prompt="\n[SUGGESTION MODE: Suggest what the user might naturally type]"),
            "suggestion",
        ),
        (ModelCall(prompt="\nWeb page content:\n---\n"), "web_fetch"),
        (
            ModelCall(system="You are an assistant for performing a web search tool use"),
            "web_search",
        ),
        (ModelCall(prompt="why does it say [SUGGESTION MODE: here?"), "main"),
    ],
)
def test_only_sure_side_calls_are_told_from_turns(call: ModelCall, purpose: str) -> None:
    assert CLAUDE.purpose(call) == purpose


@pytest.mark.parametrize(
    ("agent", "version"),
    [
        ("claude-cli/2.1.197 (external, sdk-cli)", "2.1.197"),
        ("claude-code/2.1.197", "2.1.197"),
        ("OTel-OTLP-Exporter-JavaScript/0.208.0", None),
    ],
)
def test_its_version_stands_in_its_user_agent(agent: str, version: str | None) -> None:
    assert CLAUDE.version_from({"user-agent": agent}) == version


def installed(program: Path, package_json: str | None = None) -> Path:
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if package_json is not None:
        (program.parent.parent / "package.json").write_text(package_json)
    return program


def test_its_version_stands_in_its_npm_package(tmp_path: Path) -> None:
    package = tmp_path / "node_modules/@anthropic-ai/claude-code"
    metadata = '{"name":"@anthropic-ai/claude-code","version":"2.1.197","bin":{}}'
    (tmp_path / "claude").symlink_to(installed(package / "bin/claude.exe", metadata))

    assert CLAUDE.version(["claude", "-p"], {"PATH": str(tmp_path)}) == "2.1.197"


def test_its_version_is_the_name_its_own_installer_gives(tmp_path: Path) -> None:
    (tmp_path / "claude").symlink_to(installed(tmp_path / "share/claude/versions/2.1.197"))

    assert CLAUDE.version([str(tmp_path / "claude")], {}) == "2.1.197"


@pytest.mark.parametrize("metadata", [None, "{", "[]", '{"name":"other","version":"1"}'])
def test_what_says_no_version_gives_none(tmp_path: Path, metadata: str | None) -> None:
    program = installed(tmp_path / "package/bin/claude", metadata)

    assert CLAUDE.version([str(program)], {}) is None


def test_its_credentials_are_its_login_and_its_settings(tmp_path: Path) -> None:
    home, here, other = tmp_path / "home", tmp_path / "here", tmp_path / "other"

    assert CLAUDE.credential_files({}, home, here) == [
        home / ".claude/.credentials.json",
        home / ".claude/settings.json",
        home / ".claude/settings.local.json",
        here / ".claude/settings.json",
        here / ".claude/settings.local.json",
        home / ".claude.json",
    ]
    moved = CLAUDE.credential_files({"CLAUDE_CONFIG_DIR": str(other)}, home, here)
    assert {other / ".credentials.json", other / ".claude.json"} <= set(moved)


def test_a_sub_agents_id_is_found_in_its_result() -> None:
    assert CLAUDE.sub_agent_id is not None
    found = CLAUDE.sub_agent_id.search("done\nagentId: a8345c88c4d6218fe (use SendMessage with")

    assert found is not None
    assert found[1] == "a8345c88c4d6218fe"
