from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.mcp.agents.base import Found, Launch
from traceproof.recorder.mcp.agents.codex import CodexConfiguration

SUMS = '[mcp_servers.sums]\ncommand = "python3"\nargs = ["-m", "sums"]\n'


def find(folder: Path, *argv: str) -> Found:
    launch = Launch(("codex", *argv), {"HOME": str(folder)}, folder / "work")
    return CodexConfiguration(folder / "etc").find(launch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (".codex", "etc", "work/.codex", "work/.git"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".codex/config.toml").write_text(SUMS)
    return tmp_path


def test_the_users_servers(folder: Path) -> None:
    (server,) = find(folder).servers

    assert (server.name, server.argv) == ("sums", ("python3", "-m", "sums"))


@pytest.mark.parametrize("trusted", [True, False])
def test_a_projects_servers_where_it_is_trusted(folder: Path, trusted: bool) -> None:
    level = f'[projects."{folder}/work"]\ntrust_level = "trusted"\n' if trusted else ""
    (folder / ".codex/config.toml").write_text(SUMS + level)
    (folder / "work/.codex/config.toml").write_text('[mcp_servers.more]\nurl = "https://x.example"')

    names = [server.name for server in find(folder).servers]

    assert names == (["sums", "more"] if trusted else ["sums"])


@pytest.mark.parametrize(
    "option",
    [
        ("-c", "mcp_servers.sums.command=x"),
        ("--config", "mcp_servers.sums={}"),
        ("--config=mcp_servers={}",),
    ],
)
def test_what_an_option_names_is_left_alone(folder: Path, option: tuple[str, ...]) -> None:
    found = find(folder, *option, "exec", "hi")

    assert found.servers == ()
    assert found.notes == ("MCP server sums is not recorded: an option names it",)
    assert find(folder, "-c", "mcp_servers.summary.command=x").servers


def test_where_an_administrator_decides_nothing_is_changed(folder: Path) -> None:
    (folder / "etc/requirements.toml").write_text("[mcp_servers.sums]\n")

    assert find(folder).servers == ()
    assert find(folder).notes


@pytest.mark.parametrize("what", ["", "no toml", "mcp_servers = 1", "[mcp_servers]\na = 1"])
def test_settings_that_cannot_be_read_have_none(folder: Path, what: str) -> None:
    (folder / ".codex/config.toml").write_text(what)

    assert find(folder) == Found()
