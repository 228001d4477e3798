from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents.packages import distribution_version, npm_version


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ('{"name": "@maker/agent-linux", "version": "1.2.3"}', "1.2.3"),
        ('{"name": "another", "version": "1.2.3"}', None),
        ('{"name": 7}', None),
        ("not JSON", None),
    ],
)
def test_a_package_json_above_says_the_version(
    tmp_path: Path, package: str, version: str | None
) -> None:
    (tmp_path / "package.json").write_text(package)

    assert npm_version(tmp_path / "bundle" / "agent.js", "@maker/agent") == version


def test_a_distribution_s_folder_says_the_version(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("agent", "python3"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "lib/python3.11/site-packages/my_agent-4.5.dist-info").mkdir(parents=True)
    env = {"PATH": str(tmp_path / "bin")}

    assert distribution_version(["agent"], env, "my_agent") == "4.5"
    assert distribution_version(["python3", "-m", "my_agent"], env, "my_agent") == "4.5"
    assert distribution_version(["agent"], env, "another") is None
