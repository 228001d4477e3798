"""What README and the quickstart print works: blocks marked as runnable are run as they stand.

A block is marked by a comment on the line before it: `<!-- runnable -->`, or with the agents that
it needs, `<!-- runnable: claude -->`. Its environment sends the agents to a scripted model, as a
gateway would.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from traceproof.proxy.testing import Match, Say, Scene, Script, ScriptedModel, Turn

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "quickstart.md")
BLOCK = re.compile(
    r"^<!-- runnable(?:: (?P<agents>[a-z ]+))? -->\n```sh\n(?P<script>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
SHOWN = re.compile(
    r"^<!-- what `traceproof demo` shows -->\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE
)
VERIFIED = re.compile(
    r"^<!-- what `traceproof demo` says of the fix -->\n```text\n(.*?)^```",
    re.DOTALL | re.MULTILINE,
)
REACH = re.compile(r"^! shells not recorded: .*\n", re.MULTILINE)
"""At the foot for those who are not root."""
VARYING = re.compile(
    r"\d+(?:\.\d+)? ?m?s\b|@[0-9a-f]{10}|\b[0-9a-f]{7}(?= Merge)"
    r"|(?:\d+ min )?\d+ runs of the tests in \d+ boxes|(?<=, )\d+ min (?=…|\d)"
)


DEMO = (sys.executable, "-P", "-m", "traceproof", "demo")


class Block(NamedTuple):
    """A shell block of a page, and the agents that it starts."""

    page: str
    line: int
    agents: tuple[str, ...]
    script: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            agents = tuple((match["agents"] or "").split())
            found.append(Block(page.name, line, agents, match["script"]))
    return found


def parameters() -> list[object]:
    return [
        pytest.param(
            block,
            id=f"{block.page}:{block.line}",
            marks=[pytest.mark.agents] if block.agents else [],
        )
        for block in blocks()
    ]


def script() -> Script:
    """Say the same to everything, so that a block may ask as often as it likes."""
    return Script([Scene([Turn([Say("Hello.")])], when=Match(), repeat=True)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository, as a reader's project is."""
    folder = tmp_path / "project"
    folder.mkdir()
    name = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (["init", "-q"], [*name, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.fixture
def reader(tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]) -> dict[str, str]:
    """The environment of somebody who follows the page, with the agents kept from the network."""
    return {
        **agent_env(tmp_path),
        "AIDER_ANALYTICS_DISABLE": "true",
        "AIDER_CHECK_UPDATE": "false",
        "AIDER_SHOW_MODEL_WARNINGS": "false",
        "AIDER_SHOW_RELEASE_NOTES": "false",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


@pytest.mark.parametrize("block", parameters())
def test_a_runnable_block_runs(
    block: Block, project: Path, reader: dict[str, str], request: pytest.FixtureRequest
) -> None:
    folders = [str(request.getfixturevalue(agent).parent) for agent in block.agents]
    with ScriptedModel(script()) as model:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.script],
            cwd=project,
            env={
                **reader,
                "PATH": ":".join([*folders, reader["PATH"]]),
                "ANTHROPIC_BASE_URL": model.url,
                "OPENAI_API_BASE": f"{model.url}/v1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert bool(model.model_calls) == bool(block.agents)
    assert len(list(project.glob(".traceproof/traces/*.zst"))) == len(block.agents)


def test_both_agents_are_in_a_runnable_block() -> None:
    assert {agent for block in blocks() for agent in block.agents} == {"claude", "aider"}


def test_the_readme_shows_what_the_demonstration_shows(
    tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]
) -> None:
    page = (ROOT / "README.md").read_text()

    ended = subprocess.run(
        [*DEMO, str(tmp_path / "demo"), "--sandbox", "local"],
        env=agent_env(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    shown = ended.stdout[ended.stdout.index("traceproof.demo.agent ·") :]
    tree, mark, verified = shown.partition("verified: ")
    verified, _, _ = (mark + verified).partition("The verdict: ")
    assert [steady(REACH.sub("", tree))] == [steady(text) for text in SHOWN.findall(page)]
    assert [steady(verified)] == [steady(text) for text in VERIFIED.findall(page)]


def steady(text: str) -> str:
    """Return a text without what differs from time to time."""
    return VARYING.sub("…", text)
