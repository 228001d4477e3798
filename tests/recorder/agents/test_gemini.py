"""Gemini CLI, by what version 0.61.0 was seen to do, and by the prompts in its bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceproof.recorder.agents import recognise
from traceproof.recorder.agents.base import Identity, LaunchContext, ModelCall
from traceproof.recorder.agents.gemini import GeminiCli

GEMINI = GeminiCli()
STREAM = "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
WHOLE = "/v1beta/models/gemini-2.5-flash:generateContent"
CONTEXT = "<session_context>\nThis is the Gemini CLI. We are setting up the context for our chat."
LOOP = (
    "You are a diagnostic agent that determines whether a conversational AI assistant is stuck in "
    "an unproductive loop."
)
COMPRESS = (
    "You are a specialized system component responsible for distilling chat history into a "
    "structured XML <state_snapshot>."
)
EDIT = "\nYou are an expert code-editing assistant specializing in debugging"
NEXT_SPEAKER = (
    "Analyze *only* the content and structure of your immediately preceding response (your last"
)


@pytest.mark.parametrize(
    "argv",
    [
        ["gemini", "-p", "Hello"],
        ["npx", "-y", "@google/gemini-cli@0.61.0", "-p", "Hello"],
        ["node", "/opt/node_modules/@google/gemini-cli/bundle/gemini.js"],
        ["env", "A=b", "/usr/bin/gemini"],
    ],
)
def test_it_is_recognised(argv: list[str]) -> None:
    assert recognise(argv).name == "gemini-cli"


@pytest.mark.parametrize(
    ("path", "system", "prompt", "purpose"),
    [
        (STREAM, "You are an interactive CLI agent", "Fix it", "main"),
        (WHOLE, "\nYou are a specialized Task Routing AI. Your sole", "Fix it", "router"),
        (WHOLE, "", NEXT_SPEAKER, "next_speaker"),
        (WHOLE, LOOP, "", "loop_check"),
        (WHOLE, EDIT, "", "edit_correction"),
        (WHOLE, COMPRESS, "", "compact"),
        (WHOLE, "", "Summarize the following tool output to be a maximum of 2000", "summary"),
        (WHOLE, "You are an interactive CLI agent", "how to sort in Rust", "utility"),
        ("/v1internal:generateContent", "", "how to sort in Rust", "utility"),
        ("/v1internal:streamGenerateContent", "", "Fix it", "main"),
        ("", "", "", "main"),
    ],
)
def test_side_calls_are_told_by_their_prompts_and_their_path(
    path: str, system: str, prompt: str, purpose: str
) -> None:
    assert GEMINI.purpose(ModelCall(path, system=system, prompt=prompt)) == purpose


def test_a_prompt_that_quotes_a_side_call_is_still_a_turn() -> None:
    assert GEMINI.purpose(ModelCall(STREAM, prompt=f"What is this? {NEXT_SPEAKER}")) == "main"


@pytest.mark.parametrize(
    ("agent", "version"),
    [
        ("GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)", "0.61.0"),
        ("GeminiCLI/0.5.0-nightly.1/gemini-2.5-pro (linux; x64; x)", "0.5.0-nightly.1"),
        ("CloudCodeVSCode/0.61.0 (aidev_client; os_type=Linux)", None),
        ("", None),
    ],
)
def test_its_calls_say_its_version_and_no_session(agent: str, version: str | None) -> None:
    headers = {"user-agent": agent}

    assert GEMINI.version_from(headers) == version
    assert GEMINI.sent(headers) == bool(version)
    assert GEMINI.identify(headers, {}) == Identity()


def test_what_it_says_in_the_user_s_name_is_not_the_user_s() -> None:
    assert GEMINI.said_by_user(CONTEXT) == ""
    assert GEMINI.said_by_user("<hook_context>More</hook_context>") == ""
    assert GEMINI.said_by_user("What is <session_context>?") == "What is <session_context>?"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("", "aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_vertex_ai_has_a_host_for_each_location(location: str, host: str) -> None:
    vertex = GEMINI.base_urls[1]

    assert vertex.variable == "GOOGLE_VERTEX_BASE_URL"
    assert vertex.usual({"GOOGLE_CLOUD_LOCATION": location}) == host


def test_what_is_refused_in_reverse_mode_is_noted(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "GEMINI_API_KEY": "fake"}

    (note,) = GEMINI.notes(LaunchContext(env, "reverse"))

    assert "gemini-api-key" in note
    assert GEMINI.notes(LaunchContext(env)) == []


def test_no_note_where_how_to_authenticate_was_chosen(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "GEMINI_API_KEY": "fake"}
    for more in ({"GOOGLE_GENAI_USE_GCA": "true"}, {"GOOGLE_GEMINI_BASE_URL": "https://gate.way"}):
        assert GEMINI.notes(LaunchContext({**env, **more}, "reverse")) == []

    settings = tmp_path / ".gemini/settings.json"
    settings.parent.mkdir()
    settings.write_text('{"security": {"auth": {"selectedType": "gemini-api-key"}}}')
    assert GEMINI.notes(LaunchContext(env, "reverse")) == []


def test_its_version_is_its_package_s(tmp_path: Path) -> None:
    bundle = tmp_path / "node_modules/@google/gemini-cli/bundle"
    bundle.mkdir(parents=True)
    (bundle / "gemini.js").write_text("#!/usr/bin/env node\n")
    (bundle / "gemini.js").chmod(0o755)
    package = {"name": "@google/gemini-cli", "version": "0.61.0"}
    (bundle.parent / "package.json").write_text(json.dumps(package))
    (tmp_path / "gemini").symlink_to(bundle / "gemini.js")

    assert GEMINI.version(["gemini"], {"PATH": str(tmp_path)}) == "0.61.0"
    assert GEMINI.version(["gemini"], {"PATH": ""}) is None


def test_where_it_keeps_credentials() -> None:
    home, cwd = Path("/home/ada"), Path("/srv/app")

    found = GEMINI.credential_files({}, home, cwd)

    assert {home / ".gemini/oauth_creds.json", cwd / ".gemini/settings.json"} <= set(found)
    assert {home / ".gemini/.env", cwd / ".gemini/.env", Path("/srv/.env")} <= set(found)
    moved = GEMINI.credential_files(
        {"GEMINI_CLI_HOME": "/data", "GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}, home, cwd
    )
    assert {Path("/data/.gemini/.env"), Path("/key.json")} <= set(moved)
    assert home / ".gemini/.env" not in moved
