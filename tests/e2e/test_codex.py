from __future__ import annotations

import dataclasses
import json
from functools import partial
from typing import Any

import pytest

from support.agents import codex
from support.offline import Offline
from support.secrets import hidden, leaks
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, PROMPT, Variant, with_faults
from traceproof.proxy.testing import (
    Encode,
    Ping,
    Say,
    Scene,
    Script,
    Split,
    Status,
    Think,
    Turn,
    Usage,
    Use,
)
from traceproof.proxy.testing.faults import AnyFault
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

VARIANTS = {variant.name: variant for variant in codex.VARIANTS}
PRINT_LOGIN = 'cat "$HOME/.codex/auth.json"'
WORD = "SUBTASK"
ROOT = "/root"
"""What the main agent calls itself."""


def of(span: Span, name: str) -> Any:
    """Return an attribute that holds JSON."""
    return json.loads(str(span.attributes[name]))


def said(done: Recorded) -> list[Any]:
    """Return what Codex printed."""
    return [json.loads(line) for line in done.ended.stdout.splitlines()]


def play(stage: Stage, name: str = "codex", mode: str = "forward") -> Recorded:
    variant = VARIANTS[name]
    return variant.record(stage, variant.turns(stage), mode)


def roles(chat: Span) -> list[str]:
    return [message["role"] for message in of(chat, semconv.INPUT_MESSAGES)]


def upgrades(done: Recorded) -> list[Span]:
    return [span for span in done.exchanges if span.name.endswith("/responses")]


def test_the_session_says_who_worked_on_what_and_how_it_ended(stage: Stage) -> None:
    (stage.workdir / "AGENTS.md").write_text("Be brief.\n")

    done = play(stage)

    thread = next(event["thread_id"] for event in said(done) if event["type"] == "thread.started")
    expected = {
        semconv.AGENT_NAME: "codex",
        semconv.AGENT_VERSION: codex.VERSION,
        semconv.CONVERSATION_ID: thread,
        semconv.VCS_BRANCH: "main",
        semconv.PROCESS_EXIT_CODE: 0,
        semconv.PROCESS_WORKING_DIRECTORY: str(stage.workdir),
    }
    assert {name: done.root.attributes.get(name) for name in expected} == expected
    assert "Be brief." in str(done.chats()[0].attributes[semconv.INPUT_MESSAGES])
    assert done.prompts == [PROMPT]


def test_a_turn_is_told_with_all_that_was_said_before_it(stage: Stage) -> None:
    variant = VARIANTS["codex"]
    first, second, third = variant.turns(stage)
    usage = Usage(1200, 40, cache_read=900, reasoning=7)
    turns = [Turn([Think("Easy."), *first.parts], usage=usage), second, third]

    done = variant.record(stage, turns)

    one, two, three = done.chats()
    assert roles(one)[-1] == "user"
    begun = len(roles(one))
    assert roles(two) == [*roles(one), *["assistant"] * (len(roles(two)) - begun - 1), "tool"]
    assert roles(three)[: len(roles(two))] == roles(two)
    assert "You are Codex" in str(of(one, semconv.INPUT_MESSAGES)[0])
    tools = {tool.get("name") for tool in of(three, semconv.TOOL_DEFINITIONS)}
    assert {"exec_command", "apply_patch"} <= tools
    expected = {
        semconv.INPUT_TOKENS: 2100,
        semconv.CACHE_READ_TOKENS: 900,
        semconv.OUTPUT_TOKENS: 40,
        semconv.REQUEST_MODEL: codex.DIRECT,
        semconv.CALL_STATE: "complete",
    }
    assert {name: one.attributes.get(name) for name in expected} == expected
    assert "Easy." in str(two.attributes[semconv.INPUT_MESSAGES])


def test_tool_calls_have_their_results(stage: Stage) -> None:
    done = play(stage)

    wrote, ran = done.tools
    assert wrote.attributes[semconv.TOOL_NAME] == "apply_patch"
    assert f"+{PROGRAM.strip()}" in str(wrote.attributes[semconv.TOOL_CALL_ARGUMENTS])
    assert f"A {HELLO}" in str(wrote.attributes[semconv.TOOL_CALL_RESULT])
    assert "exited with code 0" in str(ran.attributes[semconv.TOOL_CALL_RESULT])
    assert "hi\n<SECRET:GITHUB_TOKEN>" in str(ran.attributes[semconv.TOOL_CALL_RESULT])


def test_in_code_mode_the_tool_calls_are_programs(stage: Stage) -> None:
    done = play(stage, "codex-code")

    wrote, ran = done.tools
    names = [tool.attributes[semconv.TOOL_NAME] for tool in done.tools]
    assert names == ["exec", "exec"]
    assert "await tools.apply_patch(" in str(wrote.attributes[semconv.TOOL_CALL_ARGUMENTS])
    assert "Script completed" in str(ran.attributes[semconv.TOOL_CALL_RESULT])
    spaces = of(done.chats()[0], semconv.TOOL_DEFINITIONS)
    assert ("functions", "exec") in {
        (space["name"], tool["name"]) for space in spaces for tool in space["tools"]
    }


@pytest.mark.parametrize("name", ["codex", "codex-code", "codex-login"])
def test_the_warm_up_of_a_web_socket_is_no_turn(stage: Stage, name: str) -> None:
    done = play(stage, name)

    (warm_up,) = done.chats("warm_up")
    assert len(done.chats()) == 3
    assert warm_up.end <= done.chats()[0].start
    (upgrade,) = upgrades(done)
    assert upgrade.attributes[semconv.HTTP_STATUS] == 101
    for chat in (warm_up, *done.chats()):
        assert upgrade.span_id in {link.span_id for link in chat.links}


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_refused_web_socket_is_refused_once_and_http_follows(stage: Stage, mode: str) -> None:
    done = play(stage, "codex-http", mode)

    (refused,) = upgrades(done)
    assert refused.attributes[semconv.HTTP_STATUS] == 426
    assert refused.attributes[semconv.CALL_STATE] == "refused"
    sent = [call for call in done.calls if call.path.endswith("/responses")]
    assert [(call.method, call.status) for call in sent] == [("GET", 426), *[("POST", 200)] * 3]
    assert [chat.attributes[semconv.HTTP_STATUS] for chat in done.chats()] == [200] * 3


@pytest.mark.parametrize(
    "faults",
    [
        [Encode()],
        [Split("characters")],
        [Split("bytes", 11), Ping(after=2), Ping(after=9)],
        [Encode(), Split("bytes", 40)],
    ],
    ids=["deflated", "inside characters", "with pings between", "deflated in fragments"],
)
def test_messages_are_whole_however_they_are_framed(stage: Stage, faults: list[AnyFault]) -> None:
    variant = VARIANTS["codex"]
    turns = [with_faults(turn, *faults) for turn in variant.turns(stage)]

    done = variant.record(stage, turns)

    secrets = {"GITHUB_TOKEN": stage.env["GITHUB_TOKEN"]}
    assert done.ended.returncode == 0
    assert (done.problems, done.log) == ([], "")
    assert done.differences(partial(hidden, secrets=secrets)) == []
    assert [chat.attributes[semconv.CALL_STATE] for chat in done.chats()] == ["complete"] * 3


def record(stage: Stage, variant: Variant, script: Script, mode: str = "forward") -> Recorded:
    """Record Codex as it has been set up, with nothing but this machine around it."""
    options = ["--mode", mode, "--summary", "summary.json"]
    with Offline() as offline:
        stage.env |= {**offline.variables, **variant.env}
        command = variant.command(stage, PROMPT)
        return stage.record(script, *command, options=options, model=variant.model)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("name", ["codex-login", "codex-login-http"])
def test_a_login_is_masked_where_it_is_printed(stage: Stage, name: str, mode: str) -> None:
    codex.settings(stage, codex.DIRECT)
    token = codex.log_in(stage)
    turns = [Turn([codex.shell(PRINT_LOGIN)]), Turn([Say("So that is it.")])]

    done = record(stage, VARIANTS[name], Script([Scene(turns, name="main")]), mode)

    assert done.ended.returncode == 0
    asked = [call for call in done.model_calls if call.scene == "main"]
    assert len(asked) == len(done.chats()) == 2
    (tool,) = done.tools
    result = str(tool.attributes[semconv.TOOL_CALL_RESULT])
    assert '"access_token"' in result
    assert token not in result
    secrets = {"token": token, "refresh": "rt-fake-refresh-token-0123456789"}
    assert leaks(stage, done, secrets) == set()


def test_a_login_over_http_sends_compressed_bodies(stage: Stage) -> None:
    done = play(stage, "codex-login-http")

    asked = [call for call in done.model_calls if call.scene == "main"]
    assert {dict(call.request_headers)["content-encoding"] for call in asked} == {"zstd"}
    first, second, third = (
        stage.traceproof("raw", done.path, chat.span_id, "request").stdout for chat in done.chats()
    )
    assert [first, second] == [call.request_body for call in asked[:2]]
    # a secret in the last one was masked, which cannot be done to compressed bytes
    assert done.chats()[2].attributes[semconv.BODY_KEPT_DECODED] == "request"
    assert json.loads(third)["model"] == codex.DIRECT
    assert roles(done.chats()[2])[-1] == "tool"


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_provider_of_its_settings_is_recorded_too(stage: Stage, mode: str) -> None:
    variant = VARIANTS["codex"]
    (codex.folder(stage) / "config.toml").write_text(
        f'model = "{codex.DIRECT}"\nmodel_provider = "ours"\n'
        '[model_providers.ours]\nname = "Ours"\nenv_key = "CODEX_API_KEY"\n'
        'base_url = "https://api.openai.com/ours/v1"\n'
    )
    turns = [Turn([codex.shell("echo one")]), Turn([Say("Done.")])]

    done = record(stage, variant, Script([Scene(turns, name="main")]), mode)

    assert done.ended.returncode == 0
    asked = [call for call in done.calls if call.wire]
    assert [call.target for call in asked] == ["/ours/v1/responses"] * 2
    kept = [done.body(chat, side)[0] for chat in done.chats() for side in ("request", "response")]
    assert kept == [body for call in asked for body in (call.request_body, call.response_body)]


def test_sub_agents_are_nested_in_the_tool_calls_that_started_them(stage: Stage) -> None:
    codex.settings(stage, codex.CODE)
    asked = Use("collaboration.spawn_agent", {"task_name": "part", "message": f"{WORD}: count"})
    waited = Use("collaboration.wait_agent", {"timeout_ms": 20000})
    script = Script(
        [
            Scene(
                [Turn([codex.shell_in_code("echo counted")]), Turn([Say("Counted.")])],
                when=lambda request: request.header("x-openai-subagent") is not None,
                name="part",
            ),
            Scene([Turn([asked]), Turn([waited]), Turn([Say("Done.")])], name="main"),
        ]
    )

    done = record(stage, VARIANTS["codex-code"], script)

    assert done.ended.returncode == 0
    assert done.differences() == []
    (agent,) = done.sub_agents
    launch = next(tool for tool in done.tools if tool.span_id == agent.parent_id)
    assert "spawn_agent" in str(launch.attributes[semconv.TOOL_NAME])
    assert agent.attributes[semconv.JOIN] == "exact"
    assert agent.attributes[semconv.AGENT_ID] == f"{ROOT}/part"
    assert len([chat for chat in done.chats() if chat.parent_id == agent.span_id]) == 2
    (ran,) = [tool for tool in done.tools if tool.parent_id == agent.span_id]
    assert "counted" in str(ran.attributes[semconv.TOOL_CALL_RESULT])
    assert done.prompts == [PROMPT]


def test_a_refused_key_ends_as_it_would_without_recording(stage: Stage) -> None:
    variant = VARIANTS["codex"]
    done = variant.record(stage, [Turn([Say("")], faults=[Status(401)])])

    assert done.ended.returncode == 1
    assert {chat.attributes[semconv.CALL_STATE] for chat in done.chats()} == {"refused"}
    assert done.differences() == []


@pytest.mark.parametrize("sandbox", ["read-only", "workspace-write"])
def test_what_it_confines_is_recorded_and_stays_confined(stage: Stage, sandbox: str) -> None:
    options = ["exec", "--skip-git-repo-check", "--sandbox", sandbox, "--json"]
    variant = dataclasses.replace(
        VARIANTS["codex"], command=lambda at, prompt: [at.agent("codex"), *options, prompt]
    )
    script = "echo out; test -w /etc; echo $?; exit 3"

    done = variant.record(stage, [Turn([codex.shell(script)]), Turn([Say("So that is it.")])])

    (call,) = done.tools
    (ran,) = [span for span in done.spans if span.parent_id == call.span_id]
    assert script in str(ran.attributes[semconv.COMMAND_SCRIPT])  # or in what Codex puts around it
    assert ran.attributes[semconv.PROCESS_EXIT_CODE] == 3
    assert ran.attributes[semconv.COMMAND_STDOUT] == "out\n1\n"
    assert semconv.SHELL_UNHOOKED not in done.root.attributes
