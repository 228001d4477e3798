from __future__ import annotations

import json
from pathlib import Path

from traceproof.recorder.mcp.agents.base import Launch
from traceproof.recorder.mcp.agents.gemini import GeminiConfiguration


def put(path: Path, **servers: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": servers}))


def test_scopes_and_which_goes_first(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "GEMINI_CLI_SYSTEM_DEFAULTS_PATH": str(tmp_path / "defaults.json"),
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(tmp_path / "system.json"),
    }
    put(tmp_path / "defaults.json", a={"command": "default"}, b={"command": "default"})
    put(tmp_path / ".gemini/settings.json", b={"command": "user"}, c={"httpUrl": "https://user"})
    put(tmp_path / "work/.gemini/settings.json", c={"url": "https://project"}, d={"command": "x"})
    put(tmp_path / "system.json", d={"command": "machine", "args": ["1"]}, e={"tcp": 1})
    for name in ("defaults.json", "system.json"):
        (tmp_path / name).chmod(0o644)

    found = GeminiConfiguration().find(Launch(("gemini",), env, tmp_path / "work"))

    names = {each.name: each.url or " ".join(each.argv) for each in found.servers}
    ours = (tmp_path / "system.json").stat().st_uid == 0
    assert names == {
        "a": "default",
        "b": "user",
        "c": "https://project",
        # what is not root's, Gemini CLI does not take for the machine's
        "d": "machine 1" if ours else "x",
    }


def test_extensions_are_said_to_be_out_of_reach(tmp_path: Path) -> None:
    put(tmp_path / ".gemini/extensions/x/gemini-extension.json", a={"command": "x"})

    found = GeminiConfiguration().find(Launch(("gemini",), {"HOME": str(tmp_path)}, tmp_path))

    assert (found.servers, found.notes) == ((), ("MCP servers of extensions are not recorded",))
