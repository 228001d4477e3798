"""What an agent is told instead of its own servers; its files stay as they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from traceproof.recorder.mcp.agents import Launch
from traceproof.recorder.mcp.rewrite import Rewritten, expand, find, rewrite, secrets_of


class Tee:
    """Puts `tee NAME` before a command line."""

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        return ["tee", name, "--", *argv]


class World:
    """A home, a project, and files held in memory."""

    def __init__(self, folder: Path) -> None:
        self.home, self.cwd = folder / "home", folder / "work"
        self.home.mkdir()
        (self.cwd / ".git").mkdir(parents=True)
        self.env = {"HOME": str(self.home), "PATH": str(Path(sys.executable).parent)}
        self.held: list[bytes] = []

    def write(self, path: str, what: object) -> None:
        file = self.home.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(what if isinstance(what, str) else json.dumps(what))

    def hold(self, data: bytes) -> str:
        self.held.append(data)
        return f"/held/{len(self.held)}"

    def tell(self, agent: str, *argv: str, **more: str) -> Rewritten:
        return rewrite(
            agent,
            Launch(argv, self.env, self.cwd),
            find(agent, argv, self.env, self.cwd),
            tee=Tee(),
            hold=self.hold,
            instead=lambda url: more.get("instead", "") or url,
        )

    def names(self, agent: str, *argv: str) -> list[str]:
        found = find(agent, argv, self.env, self.cwd)
        return [f"{server.name}={' '.join(server.argv) or server.url}" for server in found.servers]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_agent_without_servers_is_started_as_it_was(world: World) -> None:
    for agent in ("claude-code", "codex", "gemini-cli", "opencode", "aider", "mini-swe-agent"):
        assert world.tell(agent, "agent", "-p", "x") == Rewritten(("agent", "-p", "x"))
    assert world.held == []


def test_claude_code_is_given_one_more_file(world: World) -> None:
    server = {"type": "stdio", "command": "python3", "args": ["-m", "s"], "env": {"A": "1"}}
    world.write("home/.claude.json", {"mcpServers": {"sums": server}})

    told = world.tell("claude-code", "claude", "--mcp-config", "a.json", "--", "prompt")

    assert told.argv == (
        "claude", "--mcp-config", "a.json", "--mcp-config=/held/1", "--", "prompt",
    )  # fmt: skip
    rest = {"command": "tee", "args": ["sums", "--", "python3", "-m", "s"]}
    assert json.loads(world.held[0]) == {"mcpServers": {"sums": {**server, **rest}}}
    assert (told.env, told.notes) == ({}, ())
    assert world.tell("claude-code", "npx", "claude", "-p", "hi").argv[-1] == "--mcp-config=/held/2"


def test_codex_is_given_settings(world: World) -> None:
    world.write(
        "home/.codex/config.toml",
        '[mcp_servers.sums]\ncommand = "python3"\nargs = ["a b", "\\"q\\""]\nenv = { K = "v" }\n'
        '[mcp_servers.web]\nurl = "http://127.0.0.1:8/mcp"\n'
        '[mcp_servers.off]\ncommand = "python3"\nenabled = false\n',
    )

    told = world.tell("codex", "codex", "exec", "hi", instead="http://127.0.0.1:9/mcp")

    assert told.argv == (
        "codex",
        "-c", 'mcp_servers.sums.command="tee"',
        "-c", 'mcp_servers.sums.args=["sums", "--", "python3", "a b", "\\"q\\""]',
        "-c", 'mcp_servers.web.url="http://127.0.0.1:9/mcp"',
        "exec", "hi",
    )  # fmt: skip


@pytest.mark.parametrize("root", [True, False])
def test_gemini_cli_is_given_settings_of_the_machine(
    world: World, root: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
    server = {"command": "python3", "env": {"K": "v"}, "trust": True}
    world.write("home/.gemini/settings.json", {"mcpServers": {"sums": server}, "ui": {}})

    told = world.tell("gemini-cli", "gemini", "-p", "hi")

    assert told.argv == ("gemini", "-p", "hi")
    if root:
        assert told.env == {
            "GEMINI_CLI_SYSTEM_SETTINGS_PATH": "/held/1",
            "GEMINI_CLI_SYSTEM_DEFAULTS_PATH": "/etc/gemini-cli/system-defaults.json",
        }
        rest = {"command": "tee", "args": ["sums", "--", "python3"]}
        assert json.loads(world.held[0]) == {"mcpServers": {"sums": {**server, **rest}}}
    else:
        assert told.env == {}
        (told_why,) = told.notes
        assert told_why.endswith(": Gemini CLI takes settings of the machine from root alone")


def test_opencode_is_given_what_changes(world: World) -> None:
    world.env["OPENCODE_CONFIG_CONTENT"] = '{"mcp": {"sums": {"timeout": 5}}, "theme": "x",}'
    server = {"type": "local", "command": ["python3", "-m", "s"], "environment": {"K": "v"}}
    world.write("work/opencode.jsonc", f'{{// mine\n"mcp": {{"sums": {json.dumps(server)},}}}}')

    told = world.tell("opencode", "opencode", "run", "hi")

    assert told.argv == ("opencode", "run", "hi")
    assert json.loads(told.env["OPENCODE_CONFIG_CONTENT"]) == {
        "mcp": {
            "sums": {
                "timeout": 5,
                "type": "local",
                "command": ["tee", "sums", "--", "python3", "-m", "s"],
            }
        },
        "theme": "x",
    }


def test_opencode_keeps_a_variable_with_a_credential(world: World) -> None:
    world.env["OPENCODE_CONFIG_CONTENT"] = json.dumps(
        {
            "mcp": {"sums": {"type": "local", "command": ["python3"]}},
            "provider": {"x": {"options": {"apiKey": "sk-proj-fake-key-0123456789abcdef"}}},
        }
    )

    told = world.tell("opencode", "opencode", "run", "hi")

    assert told.env == {}
    assert told.notes == (
        "MCP server sums is not recorded: OPENCODE_CONFIG_CONTENT holds a credential",
    )


def test_a_program_that_is_not_there_is_left_to_the_agent_to_miss(world: World) -> None:
    server = {"command": "no-such-server"}
    world.write("home/.claude.json", {"mcpServers": {"sums": server}})

    told = world.tell("claude-code", "claude", "-p", "hi")

    assert told.argv == ("claude", "-p", "hi")
    assert told.notes == ("MCP server sums is not recorded: no program no-such-server",)


def test_what_servers_are_configured_with_is_secret(world: World) -> None:
    world.write(
        "home/.claude.json",
        {
            "mcpServers": {
                "a": {
                    "command": "python3",
                    "args": ["--api-key", "key-of-the-arguments-1234"],
                    "env": {
                        "SUMS_TOKEN": "token-of-the-environment-1",
                        "LEVEL": "debug-everything",
                    },
                },
                "b": {
                    "type": "http",
                    "url": "https://ada:password-of-a-url-9@mcp.example.com/mcp",
                    "headers": {"Authorization": "Bearer token-of-a-header-12"},
                },
            }
        },
    )

    found = find("claude-code", ["claude"], world.env, world.cwd)

    values = {secret.value for secret in secrets_of(found.servers)}
    assert values >= {
        "key-of-the-arguments-1234",
        "token-of-the-environment-1",
        "token-of-a-header-12",
        "password-of-a-url-9",
    }
    assert not [value for value in values if "$" in value]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://${A}/mcp", "https://one/mcp"),
        ("https://$A/${B:-two}/{env:A}", "https://one/two/one"),
        ("https://${B}/mcp", "https://${B}/mcp"),
        ("", ""),
    ],
)
def test_what_the_agents_fill_in_an_address(url: str, found: str) -> None:
    assert expand(url, {"A": "one"}) == found
