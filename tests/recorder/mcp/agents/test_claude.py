"""Which servers Claude Code would use, by what stands in its files and on its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceproof.recorder.mcp.agents.base import Found, Launch
from traceproof.recorder.mcp.agents.claude import ClaudeConfiguration


class World:
    def __init__(self, folder: Path) -> None:
        self.home, self.cwd, self.managed = folder / "home", folder / "work", folder / "managed"
        for each in (self.home / ".claude", self.cwd / ".claude", self.managed):
            each.mkdir(parents=True)
        (self.cwd / ".git").mkdir()

    def find(self, *argv: str, cwd: Path | None = None) -> Found:
        launch = Launch(("claude", *argv), {"HOME": str(self.home)}, cwd or self.cwd)
        return ClaudeConfiguration(self.managed).find(launch)

    def names(self, *argv: str, cwd: Path | None = None) -> list[str]:
        return [f"{each.name}:{each.argv[0]}" for each in self.find(*argv, cwd=cwd).servers]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def servers(**commands: str) -> dict[str, object]:
    return {"mcpServers": {name: {"command": command} for name, command in commands.items()}}


def put(path: Path, what: object) -> None:
    path.write_text(json.dumps(what))


def test_scopes_and_which_goes_first(world: World) -> None:
    put(world.cwd / ".mcp.json", servers(a="project", b="project", c="project"))
    local = {**servers(b="local", d="local"), "disabledMcpServers": ["c"]}
    own = {**servers(a="user", e="user"), "projects": {str(world.cwd): local}}
    put(world.home / ".claude.json", own)
    put(world.cwd / "given.json", servers(d="given"))

    found = world.names("-p", "--mcp-config", "given.json", '{"mcpServers":{"f":{"command":"x"}}}')

    assert found == ["a:project", "e:user", "b:local", "d:given", "f:x"]


def test_strict_means_what_is_given_alone(world: World) -> None:
    put(world.home / ".claude.json", servers(a="user"))
    put(world.cwd / "given.json", servers(b="given"))

    assert world.names("-p", "--strict-mcp-config", "--mcp-config=given.json") == ["b:given"]


def test_what_waits_for_approval_is_left_alone(world: World) -> None:
    put(world.cwd / ".mcp.json", servers(a="project", b="project", c="project"))
    put(world.cwd / ".claude/settings.local.json", {"enabledMcpjsonServers": ["a"]})
    put(world.home / ".claude/settings.json", {"disabledMcpjsonServers": ["b"]})

    found = world.find()

    assert [server.name for server in found.servers] == ["a"]
    assert found.notes == ("MCP server c of .mcp.json is not recorded: it waits for your approval",)
    assert world.names("-p") == ["a:project", "c:project"]
    put(world.home / ".claude/settings.json", {"enableAllProjectMcpServers": True})
    assert world.names() == ["a:project", "b:project", "c:project"]


def test_the_project_cannot_approve_itself(world: World) -> None:
    put(world.cwd / ".mcp.json", servers(a="project"))
    put(world.cwd / ".claude/settings.json", {"enableAllProjectMcpServers": True})

    assert world.names() == []


def test_a_folder_within_the_project(world: World) -> None:
    inside = world.cwd / "src"
    inside.mkdir()
    put(world.cwd / ".mcp.json", servers(a="outer", b="outer"))
    put(inside / ".mcp.json", servers(a="inner"))
    put(world.home / ".claude.json", {"projects": {str(world.cwd): servers(c="local")}})

    assert world.names("-p", cwd=inside) == ["a:inner", "b:outer", "c:local"]


def test_where_an_administrator_decides_nothing_is_changed(world: World) -> None:
    put(world.home / ".claude.json", servers(a="user"))
    put(world.managed / "managed-settings.json", {"allowedMcpServers": [{"serverName": "a"}]})

    found = world.find("-p")

    assert found.servers == ()
    assert found.notes == (
        "MCP servers are not recorded: an administrator says which there may be",
    )


def test_plugins_are_said_to_be_out_of_reach(world: World) -> None:
    put(world.home / ".claude/settings.json", {"enabledPlugins": {"x@y": True}})

    assert world.find("-p").notes == ("MCP servers of plugins are not recorded",)


def test_commands_of_its_own_need_no_servers(world: World) -> None:
    put(world.home / ".claude.json", servers(a="user"))

    assert world.find("mcp", "list") == Found()


@pytest.mark.parametrize(
    "what", ["", "no json", "[]", '{"mcpServers": []}', '{"mcpServers": {"a": 1, "b": {}}}']
)
def test_files_that_cannot_be_read_have_none(world: World, what: str) -> None:
    for path in (world.home / ".claude.json", world.cwd / ".mcp.json"):
        path.write_text(what)

    assert world.find("-p", "--mcp-config", "none.json", "{") == Found()
