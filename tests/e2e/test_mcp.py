"""MCP servers of the real agents: over stdio, and over streamable HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import mcp
from support.agents import claude, codex, gemini, opencode
from support.stage import Stage
from support.trace import Recorded
from support.variant import Command
from traceproof.proxy.testing import Custom, Say, Scene, Script, Turn, Use, scenarios
from traceproof.proxy.testing.parts import AnyPart
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

HOST = "mcp.example.test"
WEB = "web"
SUMS = "sums"


@dataclass(frozen=True)
class Driven:
    """How an agent is told of its servers, and how its model asks for their tools."""

    name: str
    configure: Callable[[Stage, list[str], str], None]
    command: Callable[[Stage, str], Command]
    use: Callable[[str, str, dict[str, Any]], AnyPart]
    join: str
    side: Sequence[Scene] = ()
    first: Sequence[Turn] = ()


def of_claude(stage: Stage, argv: list[str], url: str) -> None:
    stage.env["ENABLE_TOOL_SEARCH"] = "false"  # else the model has to look for them first
    local = {"command": argv[0], "args": argv[1:], "env": {"SUMS_TOKEN": mcp.TOKEN}}
    (stage.workdir / ".mcp.json").write_text(json.dumps({"mcpServers": {SUMS: local}}))
    settings = Path(stage.env["HOME"], ".claude.json")
    settings.write_text(json.dumps({"mcpServers": {WEB: {"type": "http", "url": url}}}))


def claude_command(stage: Stage, prompt: str) -> Command:
    tools = "Bash mcp__sums__add mcp__sums__fail mcp__sums__refuse mcp__web__add"
    return stage.claude(prompt, allowedTools=tools)


def of_codex(model: str) -> Callable[[Stage, list[str], str], None]:
    def configure(stage: Stage, argv: list[str], url: str) -> None:
        stage.env[codex.API_KEY] = "sk-proj-fake-key-of-codex-0123456789"
        codex.settings(stage, model)
        path = codex.folder(stage) / "config.toml"
        path.write_text(
            f"{path.read_text()}"
            f"[mcp_servers.{SUMS}]\ncommand = {json.dumps(argv[0])}\n"
            f'args = {json.dumps(argv[1:])}\nenv = {{ SUMS_TOKEN = "{mcp.TOKEN}" }}\n'
            f"[mcp_servers.{WEB}]\nurl = {json.dumps(url)}\n"
        )

    return configure


def in_code(server: str, tool: str, given: dict[str, Any]) -> AnyPart:
    called = f"await tools.mcp__{server}__{tool}({json.dumps(given)})"
    return Custom("exec", f"text(JSON.stringify({called}));")


def of_gemini(stage: Stage, argv: list[str], url: str) -> None:
    gemini.GEMINI.prepare(stage)
    stage.env.update(gemini.GEMINI.env)
    path = Path(stage.env["HOME"], ".gemini", "settings.json")
    local = {"command": argv[0], "args": argv[1:], "env": {"SUMS_TOKEN": mcp.TOKEN}}
    servers = {SUMS: local, WEB: {"httpUrl": url}}
    path.write_text(json.dumps({**json.loads(path.read_text()), "mcpServers": servers}))


def of_opencode(stage: Stage, argv: list[str], url: str) -> None:
    stage.env.update(opencode.VARIANTS[0].env)
    local = {"type": "local", "command": argv, "environment": {"SUMS_TOKEN": mcp.TOKEN}}
    servers = {SUMS: local, WEB: {"type": "remote", "url": url}}
    (stage.workdir / "opencode.json").write_text(
        json.dumps({"$schema": "https://opencode.ai/config.json", "mcp": servers})
    )


AGENTS = [
    Driven(
        "claude",
        of_claude,
        claude_command,
        lambda server, tool, given: Use(f"mcp__{server}__{tool}", given),
        "exact",
        claude.VARIANTS[0].side,
        [Turn([scenarios.bash("sleep 2", "It connects meanwhile")])],
    ),
    Driven(
        "codex",
        of_codex(codex.DIRECT),
        codex.command,
        lambda server, tool, given: Use(f"mcp__{server}.{tool}", given),
        "exact",
    ),
    Driven("codex-code", of_codex(codex.CODE), codex.command, in_code, "inferred"),
    Driven(
        "gemini",
        of_gemini,
        gemini.GEMINI.command,
        lambda server, tool, given: Use(f"mcp_{server}_{tool}", given),
        "inferred",
        gemini.GEMINI.side,
    ),
    Driven(
        "opencode",
        of_opencode,
        opencode.VARIANTS[0].command,
        lambda server, tool, given: Use(f"{server}_{tool}", given),
        "inferred",
        opencode.VARIANTS[0].side,
    ),
]
EVERY = pytest.mark.parametrize("driven", AGENTS, ids=lambda driven: driven.name)


def files(stage: Stage) -> dict[str, str]:
    """Hash the files in which the agents are configured; not where Claude Code keeps its state."""
    named = [".mcp.json", "opencode.json", "config.toml", "settings.json"]
    found = [path for top in (stage.workdir, Path(stage.env["HOME"])) for path in top.rglob("*")]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.name in named and path.is_file()
    }


def run(stage: Stage, driven: Driven, parts: list[AnyPart], *options: str) -> Recorded:
    turns = [*driven.first, *(Turn([part]) for part in parts), Turn([Say("Done.")])]
    script = Script([*driven.side, Scene(turns, name="main")])
    return stage.record(script, *driven.command(stage, "Add."), options=options)


def called(done: Recorded) -> list[Span]:
    """Return the tool calls that reached a server."""
    return [tool for tool in done.tools if semconv.MCP_METHOD in tool.attributes]


def servers(done: Recorded) -> dict[str, Span]:
    found = [span for span in done.spans if span.name.startswith("mcp ")]
    assert len(found) == 2
    return {str(span.attributes[semconv.MCP_SERVER]): span for span in found}


def parent(done: Recorded, span: Span) -> Span:
    (found,) = [each for each in done.spans if each.span_id == span.parent_id]
    return found


@EVERY
@pytest.mark.parametrize("where", ["remote", "here"])
def test_every_call_stands_under_the_one_the_model_asked_for(
    stage: Stage, tmp_path: Path, driven: Driven, where: str
) -> None:
    log, web = mcp.Log(tmp_path / "sums.log"), mcp.Log(tmp_path / "web.log")
    with mcp.over_http(web.path, *(["--stream"] if where == "here" else [])) as port:
        here = f"http://127.0.0.1:{port}"
        url = f"{here}/mcp" if where == "here" else f"https://{HOST}/mcp"
        driven.configure(stage, mcp.argv(log.path, "a b", "it's"), url)
        before = files(stage)
        parts = [
            driven.use(SUMS, "add", {"a": 1, "b": 2}),
            driven.use(SUMS, "fail", {"why": "so"}),
            driven.use(WEB, "add", {"a": 40, "b": 2}),
        ]
        options = ("--route", f"{HOST}={here}") if where == "remote" else ()
        done = run(stage, driven, parts, *options)

    assert done.ended.returncode == 0, done.ended.stderr.decode()
    assert (done.problems, done.log) == ([], "")
    assert files(stage) == before
    assert [(each["name"], each["arguments"]) for each in log.calls + web.calls] == [
        ("add", {"a": 1, "b": 2}),
        ("fail", {"why": "so"}),
        ("add", {"a": 40, "b": 2}),
    ]
    first, second, third = called(done)
    for span, given, told in (
        (first, {"a": 1, "b": 2}, "the sum is 3"),
        (second, {"why": "so"}, "it failed: so"),
        (third, {"a": 40, "b": 2}, "the sum is 42"),
    ):
        facts = span.attributes
        asked = parent(done, span)
        assert asked.attributes[semconv.OPERATION_NAME] == "execute_tool"
        assert asked.attributes[semconv.TOOL_CALL_ID] == facts[semconv.TOOL_CALL_ID]
        assert facts[semconv.JOIN] == driven.join
        assert json.loads(str(facts[semconv.TOOL_CALL_ARGUMENTS])) == given
        result = json.loads(str(facts[semconv.TOOL_CALL_RESULT]))
        assert result["content"] == [{"type": "text", "text": told}]
        assert span.start < span.end <= asked.end
    assert [span.attributes.get(semconv.ERROR_TYPE) for span in (first, second, third)] == [
        None,
        "tool_error",
        None,
    ]
    local, remote = servers(done)[SUMS], servers(done)[WEB]
    assert local.attributes[semconv.NETWORK_TRANSPORT] == "pipe"
    assert remote.attributes[semconv.NETWORK_TRANSPORT] == "tcp"
    assert remote.attributes[semconv.SERVER_ADDRESS] == ("127.0.0.1" if where == "here" else HOST)
    assert third.attributes[semconv.MCP_SESSION_ID] == "the-session-of-the-tests"
    for server in (local, remote):
        tools = json.loads(str(server.attributes[semconv.TOOL_DEFINITIONS]))
        assert [tool["name"] for tool in tools] == ["add", "fail", "refuse", "wait"]
        told_of = json.loads(str(server.attributes[semconv.MCP_SERVER_INFO]))
        assert told_of == {"name": "sums", "version": "1.2.3"}
    assert str(local.attributes[semconv.MCP_STDERR]).startswith("sums: ready\n")
    assert local.attributes[semconv.MCP_STATE] == "ended"


@EVERY
def test_a_server_is_started_as_it_is_without_us(
    stage: Stage, tmp_path: Path, driven: Driven
) -> None:
    log = mcp.Log(tmp_path / "sums.log")
    driven.configure(stage, mcp.argv(log.path, "a b", "it's"), "http://127.0.0.1:9/mcp")
    part = driven.use(SUMS, "refuse", {})

    done = run(stage, driven, [part])

    started = log.started
    assert started["argv"][-2:] == ["a b", "it's"]
    assert started["cwd"] == str(stage.workdir)
    assert set(started["fds"]) == ({"pipe"} if "codex" in driven.name else {"socket"})
    assert started["open"] == ["0", "1", "2", "3"]  # the last is what lists them
    assert started["env"]["SUMS_TOKEN"] == mcp.TOKEN
    ours = ("OPENCODE_CONFIG_CONTENT", "GEMINI_CLI_SYSTEM_SETTINGS_PATH", "LC_CTYPE")
    assert [name for name in ours if name in started["env"]] == []
    (span,) = called(done)
    assert span.attributes[semconv.ERROR_TYPE] == "-32602"
    assert span.attributes[semconv.RPC_STATUS] == "-32602"
    assert span.status_message == "no such tool: refuse"
    assert mcp.TOKEN.encode() not in b"".join(
        path.read_bytes() for path in stage.store.rglob("*") if path.is_file()
    )


def test_claude_code_names_and_orders_its_tools_as_without_us(stage: Stage, tmp_path: Path) -> None:
    """Scopes and their precedence, a switched-off server, `--mcp-config` of the user's own."""
    stage.env["ENABLE_TOOL_SEARCH"] = "false"

    def server(name: str) -> dict[str, Any]:
        argv = mcp.argv(tmp_path / f"{name}.log", name)
        return {"command": argv[0], "args": argv[1:]}

    (stage.workdir / ".mcp.json").write_text(
        json.dumps({"mcpServers": {each: server(each) for each in ("zulu", "alpha", "off")}})
    )
    own = {
        "mcpServers": {"mine": server("mine"), "zulu": server("shadowed")},
        "projects": {
            str(stage.workdir): {
                "mcpServers": {"local": server("local")},
                "disabledMcpServers": ["off"],
            }
        },
    }
    Path(stage.env["HOME"], ".claude.json").write_text(json.dumps(own))
    given = tmp_path / "given.json"
    given.write_text(
        json.dumps({"mcpServers": {"given": server("given"), "alpha": server("over")}})
    )
    command = stage.claude("Wait.", **{"mcp-config": str(given), "output-format": "stream-json"})
    command = [*command[:2], "--verbose", *command[2:]]
    turns = [Turn([scenarios.bash("sleep 3", "It connects")]), Turn([Say("Done.")])]
    script = Script([*claude.VARIANTS[0].side, Scene(turns, name="main")])

    done = stage.record(script, *command)
    with_us = [
        json.loads(call.request_body)
        for call in done.model_calls
        if b'"tools"' in call.request_body
    ]

    offered = [tool["name"] for tool in with_us[-1]["tools"] if tool["name"].startswith("mcp__")]
    tools = ("add", "fail", "refuse", "wait")
    names = ("alpha", "given", "local", "mine", "zulu")
    assert offered == [f"mcp__{name}__{tool}" for name in names for tool in tools]
    logs = {path.stem: mcp.Log(path).started["argv"][-1] for path in tmp_path.glob("*.log")}
    assert logs == {name: name for name in ("zulu", "over", "mine", "local", "given")}
    found = {
        str(span.attributes[semconv.MCP_SERVER])
        for span in done.spans
        if span.name.startswith("mcp ")
    }
    assert found == set(names)
