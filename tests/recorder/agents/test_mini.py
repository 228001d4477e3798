"""mini-swe-agent, by what version 2.4.6 was seen to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.recorder.agents import recognise
from traceproof.recorder.agents.base import Identity, ModelCall
from traceproof.recorder.agents.mini import MiniSweAgent

MINI = MiniSweAgent()
TOLD = """\
Please solve this issue: Write hello.py.

It says hi.

You can execute bash commands and edit files to implement the necessary changes.

## Recommended Workflow
"""
BENCHMARK = """\
<pr_description>
Consider the following PR description:
Fix the sum.
</pr_description>

<instructions>
"""


@pytest.mark.parametrize(
    "argv",
    [
        ["mini", "-t", "Hello"],
        ["mini-swe-agent", "-t", "Hello"],
        ["uvx", "mini-swe-agent@2.4.6"],
        ["pipx", "run", "--spec", "mini-swe-agent", "mini"],
        ["python3", "-m", "minisweagent.run.mini"],
        ["python3.12", "-m", "minisweagent"],
    ],
)
def test_it_is_recognised(argv: list[str]) -> None:
    assert recognise(argv).name == "mini-swe-agent"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOLD, "Write hello.py.\n\nIt says hi."),
        (BENCHMARK, "Fix the sum."),
        ("A task in a template of somebody's own", "A task in a template of somebody's own"),
        ("<returncode>0</returncode>\n<output>\nhi\n</output>", ""),
        ("<exception>Timed out</exception>\n<returncode>-1</returncode>", ""),
        ("Format error:\n\n<error>\nExpected exactly 1 action, found 0.\n</error>", ""),
        ("Tool call error:\n\n<error>\nNo tool calls found.\n</error>", ""),
    ],
)
def test_of_what_it_says_the_task_is_the_user_s(text: str, said: str) -> None:
    assert MINI.said_by_user(text) == said


def test_its_calls_name_no_session_and_all_are_turns() -> None:
    headers = {"user-agent": "litellm/1.106.2"}

    assert MINI.identify(headers, {"model": "gpt-4o"}) == Identity()
    assert MINI.version_from(headers) is None
    assert not MINI.sent(headers)
    assert MINI.purpose(ModelCall(prompt=TOLD)) == "main"


def test_its_version_is_that_of_the_distribution_beside_it(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mini").write_text("#!/bin/sh\n")
    (tmp_path / "bin/mini").chmod(0o755)
    (tmp_path / "lib/python3.12/site-packages/mini_swe_agent-2.4.6.dist-info").mkdir(parents=True)

    assert MINI.version(["mini"], {"PATH": str(tmp_path / "bin")}) == "2.4.6"
    assert MINI.version(["mini"], {"PATH": ""}) is None


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"MSWEA_GLOBAL_CONFIG_DIR": "/etc/mini"}, "/etc/mini"),
        ({"XDG_CONFIG_HOME": "/home/ada/conf"}, "/home/ada/conf/mini-swe-agent"),
        ({}, "/home/ada/.config/mini-swe-agent"),
        ({}, "/home/ada/Library/Application Support/mini-swe-agent"),
    ],
)
def test_where_it_keeps_credentials(env: dict[str, str], folder: str) -> None:
    found = MINI.credential_files(env, Path("/home/ada"), Path("/work"))

    assert Path(folder, ".env") in found
