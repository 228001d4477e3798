"""What people allow, deny, interrupt and command, as real agents let it be known."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.agents import codex, gemini, opencode
from support.offline import Offline
from support.variant import PROMPT, Variant
from traceproof.proxy.testing import Say, ScriptedModel, Turn, Use, scenarios
from traceproof.recorder import humanevents, semconv
from traceproof.recorder.session import PROMPT_EVENT

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Trace

pytestmark = pytest.mark.agents

DEADLINE = 60.0
AGAIN = 4.0
"""Seconds after which a person presses a key again that seems to have had no effect."""
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
CONTROL = re.compile(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z]|\s")


def approvals(trace: Trace) -> list[tuple[str, object, object]]:
    """Return the tool, what was decided on it, and how that is known, in order of time."""
    return [
        (
            str(span.attributes[semconv.TOOL_NAME]),
            span.attributes.get(semconv.TOOL_APPROVAL),
            span.attributes.get(semconv.TOOL_APPROVAL_FROM),
        )
        for span in trace.tools
    ]


# --- agents that nobody is asked by ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "write", "read"),
    [
        ((), ("denied", {"agent_span", "result"}), ("auto", {"mode"})),
        (("--allowedTools", "Write"), ("auto", {"mode"}), ("auto", {"mode"})),
        (
            ("--permission-mode", "plan"),
            ("denied", {"agent_span", "result"}),
            ("auto", {"mode"}),
        ),
        (("--permission-mode", "acceptEdits"), ("auto", {"mode"}), ("auto", {"mode"})),
        (
            ("--permission-mode", "bypassPermissions"),
            ("bypassed", {"mode"}),
            ("bypassed", {"mode"}),
        ),
    ],
    ids=["default", "allowed", "plan", "acceptEdits", "bypassPermissions"],
)
def test_claude_code_without_a_terminal(
    stage: Stage,
    options: tuple[str, ...],
    write: tuple[str, set[str]],
    read: tuple[str, set[str]],
) -> None:
    stage.env["IS_SANDBOX"] = "1"  # else root may not bypass anything
    asked = [
        scenarios.write(stage.workdir / "new.txt", "one\n"),
        Use("Read", {"file_path": str(stage.workdir / "README")}),
    ]
    script = scenarios.claude(Turn(asked), Turn([Say("Done.")]))
    model = ("--model", "claude-sonnet-4-5")

    done = stage.record(script, stage.agent("claude"), "-p", *options, *model, "--", "Do it.")

    told = {name: (word, evidence) for name, word, evidence in approvals(done)}
    assert told["Write"][0] == write[0]
    assert told["Read"][0] == read[0]
    assert told["Write"][1] in write[1]
    assert told["Read"][1] in read[1]


def play(stage: Stage, variant: Variant, turns: list[Turn], *command: Any) -> Trace:
    variant.prepare(stage)
    stage.env |= variant.env
    with Offline() as offline:
        stage.env |= offline.variables
        return stage.record(variant.script(turns), *command, model=variant.model)


def test_codex_refuses_what_its_policy_does_not_allow(stage: Stage) -> None:
    (variant,) = [variant for variant in codex.VARIANTS if variant.name == "codex"]
    escalated = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "x"}
    turns = [
        Turn([variant.write(stage.workdir / "hello.py", "")]),
        Turn([Use("exec_command", escalated)]),
        Turn([Say("Done.")]),
    ]
    words = ("exec", "--skip-git-repo-check", "--json", "-s", "read-only", PROMPT)

    done = play(stage, variant, turns, stage.agent("codex"), *words)

    assert approvals(done) == [
        ("apply_patch", "denied", "result"),
        ("exec_command", "denied", "result"),
    ]


def test_gemini_does_not_offer_what_would_have_to_be_asked(stage: Stage) -> None:
    variant = gemini.VARIANTS[0]
    words = ("--approval-mode", "auto_edit", "-m", "gemini-2.5-pro", "-p", PROMPT)

    done = play(stage, variant, variant.turns(stage), stage.agent("gemini"), *words)

    wrote, ran = approvals(done)
    assert wrote[1:] == ("auto", "mode")
    assert ran[1:] == (None, None)


def test_opencode_ends_where_it_would_have_to_ask(stage: Stage) -> None:
    variant = opencode.VARIANTS[0]
    settings = {"permission": {"edit": "allow", "bash": "ask"}}
    (stage.workdir / "opencode.json").write_text(json.dumps(settings))

    done = play(stage, variant, variant.turns(stage), *variant.command(stage, PROMPT))

    wrote, ran = approvals(done)
    assert wrote[1:] == ("auto", "mode")
    assert ran[1:] == (None, None)


# --- a person at a terminal -----------------------------------------------------------------------


class Person:
    """Types at a terminal and looks at what is on it."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 150, 0, 0))
        self._seen = ""

    def look(self, seconds: float) -> None:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self._seen += os.read(self.master, 65536).decode(errors="replace")

    def sees(self, text: str) -> bool:
        return CONTROL.sub("", text) in CONTROL.sub("", self._seen)

    def does(self, keys: bytes, until: Callable[[], bool]) -> None:
        """Press keys until something has come of it: what was on the screen before is past.

        Without keys, wait for what comes of the last ones.
        """
        self._seen = "" if keys else self._seen
        end = time.monotonic() + DEADLINE
        while not until():
            assert time.monotonic() < end, self._seen[-3000:]
            if keys:
                os.write(self.master, keys)
            again = time.monotonic() + AGAIN
            while time.monotonic() < again and not until():
                self.look(0.1)

    def says(self, text: str, until: Callable[[], bool]) -> None:
        """Type a prompt, and send it when it stands there."""
        self._seen = ""
        os.write(self.master, text.encode())
        self.does(b"", lambda: self.sees(text))
        self.does(b"\r", until)


@pytest.fixture
def person() -> Iterator[Person]:
    opened = Person()
    yield opened
    os.close(opened.master)
    os.close(opened.slave)


def settle(stage: Stage) -> None:
    """Write the settings of somebody who has used Claude Code here before."""
    approved = {"approved": [stage.env["ANTHROPIC_API_KEY"][-20:]], "rejected": []}
    project = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    settings = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "lastOnboardingVersion": "2.1.197",
        "customApiKeyResponses": approved,
        "projects": {str(stage.workdir): project},
    }
    Path(stage.env["HOME"], ".claude.json").write_text(json.dumps(settings))
    stage.env["TERM"] = "xterm-256color"


def transcript(stage: Stage) -> str:
    """Return what Claude Code itself has written down."""
    (file,) = Path(stage.env["HOME"], ".claude", "projects").rglob("*.jsonl")
    return file.read_text()


def test_claude_code_at_a_terminal(stage: Stage, person: Person) -> None:
    settle(stage)
    script = scenarios.claude(
        Turn([scenarios.bash("touch granted.txt", "A step")]),
        Turn([scenarios.bash("touch denied.txt", "A step")]),
        Turn([Say("Then something else.")]),
    )
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), person.slave)
    with ScriptedModel(script) as model:

        def asked(times: int) -> Callable[[], bool]:
            return lambda: sum(call.scene == "main" for call in model.calls) >= times

        process = stage.start(
            model,
            stage.agent("claude"),
            "--model",
            "claude-sonnet-4-5",
            before=[sys.executable, "-c", OWN_TERMINAL],
            **streams,
        )
        person.does(b"", lambda: person.sees("? for shortcuts"))
        person.says("Do it.", lambda: person.sees("Do you want to proceed?"))
        person.does(b"1", asked(2))
        person.does(b"", lambda: person.sees("touch denied.txt"))
        person.does(b"\x1b", lambda: person.sees("Interrupted"))
        person.says("Do that.", asked(3))
        person.does(b"", lambda: person.sees("Then something else."))
        person.says("/exit", lambda: process.poll() is not None)
        assert stage.finish(process).returncode == 0

    trace = stage.trace()
    assert approvals(trace) == [
        ("Bash", "granted", "agent_span"),
        ("Bash", "denied", "agent_span"),
    ]
    sources = [span.attributes[semconv.TOOL_APPROVAL_SOURCE] for span in trace.tools]
    assert sources == ["user_temporary", "user_reject"]
    said = [event for event in trace.root.events if "content" in event.attributes]
    told = [(event.name, event.attributes["content"]) for event in said]
    assert told[:3] == [
        (PROMPT_EVENT, "Do it."),
        (humanevents.INTERRUPTION, "[Request interrupted by user for tool use]"),
        (PROMPT_EVENT, "Do that."),
    ]
    if "/exit" in transcript(stage):  # Claude Code may leave before it has written that down
        assert told[3:] == [(humanevents.SLASH_COMMAND, "/exit")]
        assert said[3].attributes[semconv.EVENT_FROM] == "transcript"
    else:
        assert told[3:] == []
