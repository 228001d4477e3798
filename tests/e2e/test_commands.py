"""Every shell command that a real agent runs is a span: with its true exit code and its output.

By all hooks: the namespace, which as root reaches all shells; a user namespace; and, where neither
is to be had, what each agent has of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from support.agents import ALL
from support.secrets import leaks
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, SHOW, WROTE, Variant
from traceproof.proxy.testing import Say, Turn
from traceproof.recorder import semconv
from traceproof.recorder.span import Span, StatusCode

pytestmark = pytest.mark.agents

FAILS = "echo out; echo err >&2; exit 3"
QUIET = "test -d .git"
SUBMITTED = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
MASKED = "<SECRET:GITHUB_TOKEN>"
POWERLESS = ("setpriv", "--bounding-set=-sys_admin")
"""Root as in a container: it may not make namespaces."""


class Ran(NamedTuple):
    """A command that ran: its text, its exit code, and what it wrote."""

    text: str
    code: int = 0
    stdout: str = ""
    stderr: str = ""
    by: str = "tool"
    """Who ran it: the `agent` for itself, or a `tool` call."""


FAILED = Ran(FAILS, 3, "out\n", "err\n")
SHOWN = Ran(SHOW, 0, f"hi\n{MASKED}")
STORY = (FAILED, SHOWN, Ran(QUIET))


def story(variant: Variant, stage: Stage) -> tuple[list[Turn], list[Ran]]:
    """Return turns with commands that fail, print and are silent, and what must be in the trace.

    They are called for at once, where the agent can do that.
    """
    if variant.agent == "aider":
        failing = "cat .git/token; python3 hello.py | grep -qx hi"
        tests = [Ran(failing, code, MASKED, by="agent") for code in (1, 1, 0)]
        return variant.turns(stage), [*tests, Ran(f"python3 {HELLO}", 0, "hi\n")]
    shells = [variant.shell(ran.text) for ran in STORY]
    asked = [[Say("Now I run it."), *shells]] if variant.tools else [[shell] for shell in shells]
    turns = [
        Turn([Say(WROTE), variant.write(stage.workdir / HELLO, PROGRAM)]),
        *(Turn(parts) for parts in asked),
        Turn(variant.finish, piece=3),
    ]
    by_shell = [Ran("cat <<'EOF'"), *STORY, Ran(f"echo {SUBMITTED}", 0, f"{SUBMITTED}\n")]
    return turns, by_shell if variant.agent == "mini-swe-agent" else [*STORY]


def commands(done: Recorded) -> list[Span]:
    """Return the spans of commands, in the order in which they were started."""
    return [span for span in done.spans if semconv.PROCESS_EXECUTABLE_NAME in span.attributes]


def script(span: Span) -> str:
    return str(span.attributes.get(semconv.COMMAND_SCRIPT, ""))


def matches(ran: Ran, span: Span) -> bool:
    """Tell whether a span is of this command, all of what it says being true of it."""
    told = span.attributes
    failed = span.status is StatusCode.ERROR
    if ran.text not in script(span) or told.get(semconv.PROCESS_EXIT_CODE) != ran.code:
        return False
    if semconv.COMMAND_MERGED in told:
        said = told[semconv.COMMAND_OUTPUT] == ran.stdout + ran.stderr
    else:
        said = told[semconv.COMMAND_STDOUT] == ran.stdout
        said = said and told[semconv.COMMAND_STDERR] == ran.stderr
    state, by = told[semconv.COMMAND_STATE], told[semconv.COMMAND_FOR]
    return said and failed is bool(ran.code) and (state, by) == ("ended", ran.by)


def check(stage: Stage, done: Recorded, expected: Sequence[Ran]) -> None:
    """Check that each command is a span once, in order, and no other stands under a tool call."""
    assert done.ended.returncode == 0, done.ended.stderr.decode()
    assert (done.problems, done.log) == ([], "")
    assert (stage.workdir / HELLO).read_text() == PROGRAM
    found = [span for span in commands(done) if any(ran.text in script(span) for ran in expected)]
    told = [(script(span), span.attributes) for span in found]
    assert len(found) == len(expected), told
    left = list(expected)
    for span in found:
        one = next((ran for ran in left if matches(ran, span)), None)
        assert one is not None, (script(span), span.attributes)
        left.remove(one)
        check_place(done, span, one)
    of_tools = [span for span in commands(done) if span.attributes[semconv.COMMAND_FOR] == "tool"]
    assert [span for span in of_tools if span not in found] == []


def check_place(done: Recorded, span: Span, ran: Ran) -> None:
    """Check that a command stands under the tool call that asked for it, or under the agent."""
    if ran.by == "agent":
        assert span.parent_id == done.root.span_id
        return
    (tool,) = [tool for tool in done.tools if tool.span_id == span.parent_id]
    assert ran.text in str(tool.attributes[semconv.TOOL_CALL_ARGUMENTS])
    (asked,) = [chat for chat in done.chats() if chat.span_id == tool.links[0].span_id]
    assert asked.start <= span.start  # some agents begin before the answer has ended
    assert span.attributes[semconv.JOIN] in {"exact", "inferred"}


@pytest.mark.parametrize("variant", ALL, ids=lambda variant: variant.name)
def test_every_command_is_a_span(stage: Stage, variant: Variant) -> None:
    turns, expected = story(variant, stage)

    done = variant.record(stage, turns)

    check(stage, done, expected)
    assert done.root.attributes[semconv.SHELL_HOOKS] == ["namespace"]
    assert semconv.SHELL_UNHOOKED not in done.root.attributes
    assert leaks(stage, done, variant.secrets(stage), commands=False) == set()


ONE_EACH = [
    next(variant for variant in ALL if variant.agent == agent)
    for agent in dict.fromkeys(variant.agent for variant in ALL)
]


@pytest.mark.parametrize("variant", ONE_EACH, ids=lambda variant: variant.agent)
def test_in_a_user_namespace_too(stage: Stage, variant: Variant) -> None:
    stage.before = POWERLESS
    turns, expected = story(variant, stage)

    done = variant.record(stage, turns, options=["--shell-namespace"])

    check(stage, done, expected)
    assert done.root.attributes[semconv.SHELL_HOOKS] == ["user-namespace"]


OWN = {"claude-code": "CLAUDE_CODE_SHELL", "gemini-cli": "PATH", "opencode": "SHELL"}
SEES = "env > seen"


@pytest.mark.parametrize(
    "variant", [each for each in ONE_EACH if each.agent in OWN], ids=lambda variant: variant.agent
)
def test_by_its_own_hook_which_a_command_does_not_see(stage: Stage, variant: Variant) -> None:
    stage.before = POWERLESS
    turns, expected = story(variant, stage)
    turns.insert(1, Turn([variant.shell(SEES)]))

    done = variant.record(stage, turns)

    check(stage, done, [*expected, Ran(SEES)])
    assert done.root.attributes[semconv.SHELL_HOOKS] == [OWN[variant.agent]]
    seen = dict(
        line.partition("=")[::2] for line in (stage.workdir / "seen").read_text().splitlines()
    )
    assert (seen["PATH"], seen["SHELL"]) == (stage.env["PATH"], "/bin/bash")
    assert "CLAUDE_CODE_SHELL" not in seen


@pytest.mark.parametrize(
    "variant",
    [each for each in ONE_EACH if each.agent not in OWN],
    ids=lambda variant: variant.agent,
)
def test_what_nothing_reaches_is_said(stage: Stage, variant: Variant) -> None:
    stage.before = POWERLESS
    turns, expected = story(variant, stage)

    done = variant.record(stage, turns)

    assert done.ended.returncode == 0
    texts = [ran.text for ran in expected]
    assert not [span for span in commands(done) if any(text in script(span) for text in texts)]
    unhooked = done.root.attributes[semconv.SHELL_UNHOOKED]
    assert "no mount namespace: unshare: Operation not permitted" in str(unhooked)


def test_with_no_shell_there_are_no_commands(stage: Stage) -> None:
    variant = ONE_EACH[0]

    done = variant.record(stage, variant.turns(stage), options=["--no-shell"])

    assert done.ended.returncode == 0
    assert commands(done) == []
    told = done.root.attributes
    assert told[semconv.SHELL_HOOKS] == []
    assert told[semconv.SHELL_UNHOOKED] == ["all shells: --no-shell"]
