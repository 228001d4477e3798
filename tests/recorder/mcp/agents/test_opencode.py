from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from traceproof.recorder.mcp.agents.base import Found, Launch
from traceproof.recorder.mcp.agents.opencode import OpenCodeConfiguration


def put(path: Path, **servers: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcp": servers}))


def local(*command: str, **more: Any) -> dict[str, Any]:
    return {"type": "local", "command": list(command), **more}


def find(folder: Path, **env: str) -> Found:
    work = folder / "work" / "src"
    return OpenCodeConfiguration().find(Launch(("opencode",), {"HOME": str(folder), **env}, work))


def test_scopes_are_laid_over_each_other(tmp_path: Path) -> None:
    (tmp_path / "work/.git").mkdir(parents=True)
    put(tmp_path / ".config/opencode/opencode.json", a=local("user"), b=local("user"))
    put(tmp_path / "named.json", b=local("named", enabled=False), c=local("named"))
    put(tmp_path / "work/opencode.json", b={"enabled": True}, d=local("project"))
    put(tmp_path / "work/.opencode/opencode.json", d={"enabled": False})
    put(tmp_path / "opencode.json", e=local("above the repository"))
    content = json.dumps({"mcp": {"f": {"type": "remote", "url": "https://f.example/mcp"}}})

    found = find(
        tmp_path, OPENCODE_CONFIG=str(tmp_path / "named.json"), OPENCODE_CONFIG_CONTENT=content
    )

    names = {each.name: each.url or " ".join(each.argv) for each in found.servers}
    assert names == {"a": "user", "b": "named", "c": "named", "f": "https://f.example/mcp"}


def test_what_is_read_from_a_file_beside_the_settings_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "work/src/opencode.json", a=local("x", "{file:./key}"), b=local("x", "{env:K}"))

    found = find(tmp_path)

    assert [server.name for server in found.servers] == ["b"]
    assert found.notes == ("MCP server a is not recorded: it is read from a file",)
