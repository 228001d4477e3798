"""Sessions of real agents, replayed step by step; and sessions altered on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import altered
from support.agents import ALL
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, WROTE, Variant
from traceproof.proxy.testing import Say, Turn

pytestmark = pytest.mark.agents

RUN = f"python3 {HELLO}; echo $$; mktemp; pwd; ls; git status --short; echo oops >&2; exit 3"
CHANGE = "mkdir d && echo x > d/a && sed -i s/hi/ho/ hello.py && cat hello.py README; git log -1"
READ = "cat d/a; git diff --stat; date; ls -la; grep -rn print ."
NAMED = ("claude", "codex-http", "codex-code", "gemini", "opencode-anthropic", "mini-openai")
VARIANTS = [variant for variant in ALL if variant.name in NAMED]
AIDER = next(variant for variant in ALL if variant.agent == "aider")


def record(stage: Stage, variant: Variant) -> Recorded:
    """Record a session that writes a file, runs it, changes it and looks at what came of it."""
    turns = [
        Turn([Say(WROTE), variant.write(stage.workdir / HELLO, PROGRAM)]),
        *(Turn([Say("And now this."), variant.shell(line)]) for line in (RUN, CHANGE, READ)),
        Turn(variant.finish, piece=3),
    ]
    done = variant.record(stage, turns)
    assert done.ended.returncode == 0, done.ended.stderr.decode()
    return done


def replay(stage: Stage, path: Path, code: int, *more: str) -> dict[str, Any]:
    """Replay a trace; returns the report."""
    sandbox = () if "--sandbox" in more else ("--sandbox", "local")
    clone = ("--repository", str(stage.workdir))
    ended = stage.traceproof("replay", path, *clone, *sandbox, *more, "--json")
    assert ended.returncode in {0, 1}, ended.stderr.decode()
    report: dict[str, Any] = json.loads(ended.stdout)
    used = [(step["name"], step["lines"], step["rules"]) for step in report["steps"]]
    assert ended.returncode == code, (report["reason"], used)
    return report


def statuses(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["kind"], step["status"]) for step in report["steps"]]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.name)
def test_every_step_is_the_same_or_normalised(stage: Stage, variant: Variant) -> None:
    variant.prepare(stage)
    path = record(stage, variant).path

    report = replay(stage, path, 0)

    write = "command" if variant.agent == "mini-swe-agent" else "edit"
    told = [(step["name"], step["why"], step["rules"]) for step in report["steps"]]
    assert statuses(report)[:4] == [
        (write, "same"), ("command", "normalised"), ("command", "same"), ("command", "normalised"),
    ], told  # fmt: skip
    assert report["answer"] == "normalised"
    assert report["share"] < report["threshold"]
    assert [step["name"] for step in report["steps"][1:4]] == [RUN, CHANGE, READ]


def test_what_aider_did(stage: Stage) -> None:
    done = AIDER.record(stage, AIDER.turns(stage))

    report = replay(stage, done.path, 0)

    assert {status for _, status in statuses(report)} <= {"same", "normalised"}
    (ran,) = [step for step in report["steps"] if step["kind"] == "command"]
    assert (ran["name"], ran["exit_replayed"]) == (f"python3 {HELLO}", "0")
    assert any("the agent ran for itself" in note for note in report["notes"])


@pytest.mark.engine
@pytest.mark.usefixtures("base")
def test_in_a_container_too(stage: Stage, engine: Any) -> None:
    variant = next(variant for variant in VARIANTS if variant.agent == "claude-code")
    path = record(stage, variant).path

    report = replay(stage, path, 0, "--sandbox", "docker")
    engine.client.remove_image(report["image"], force=True)

    assert [status for _, status in statuses(report)] == [
        "same", "normalised", "same", "normalised",
    ], report["steps"]  # fmt: skip
    assert (report["sandbox"], report["isolation"]) == ("docker", "container")


def test_a_session_that_was_altered_is_caught_at_that_step(stage: Stage, tmp_path: Path) -> None:
    variant = next(variant for variant in VARIANTS if variant.agent == "claude-code")
    path = record(stage, variant).path

    def first(name: str, alter: altered.Alter) -> tuple[int, str]:
        made = altered.altered(path, tmp_path / f"{name}.otlp.jsonl.zst", stage.workdir, alter)
        report = replay(stage, made, 0 if name == "nothing" else 1)
        # who reads a file after the step that did not write it so finds another one, too
        allowed = {"nothing": {0}, "file": {1, 2}}.get(name, {1})
        assert report["counts"]["differs"] in allowed, report["reason"]
        return report["first"], report["reason"]

    assert first("nothing", lambda *_: None)[0] is None
    assert first("exit", altered.exit_code(RUN[:16], 4)) == (
        2, "step 2 differs: it ended with 3, recorded was 4",
    )  # fmt: skip
    assert first("output", altered.output("mkdir d", "to work in.", "to work im.")) == (
        3, "step 3 differs: output, line 2",
    )  # fmt: skip
    assert first("file", altered.content("d/a", b"y\n")) == (
        3, "step 3 differs: the workspace: d/a (content)",
    )  # fmt: skip
