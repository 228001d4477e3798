from __future__ import annotations

import msgspec
import pytest

from traceproof.proxy.testing import Match, Request, Say, Scene, Script, Status, Turn, from_data
from traceproof.proxy.testing.request import Said, View

REQUEST = Request(
    "POST",
    "/v1/messages",
    [("X-App", "cli")],
    b"",
    View(
        model="claude-x-1",
        system="You are helpful",
        messages=[Said("user", "fix the bug"), Said("user", "", results=("exit 1",))],
        tools=("Bash", "Write"),
    ),
)


@pytest.mark.parametrize(
    "match",
    [
        Match(),
        Match(model="claude-x"),
        Match(system="helpful"),
        Match(user="bug"),
        Match(last="exit 1"),
        Match(headers={"x-app": "cli", "x-agent": None}),
        Match(tool="Write"),
        Match(side_call=False),
        Match(model="claude", user="fix", tool="Bash"),
    ],
)
def test_every_given_field_holds(match: Match) -> None:
    assert match(REQUEST)


@pytest.mark.parametrize(
    "match",
    [
        Match(model="gpt"),
        Match(system="unhelpful"),
        Match(user="exit 1"),
        Match(last="bug"),
        Match(headers={"x-app": None}),
        Match(headers={"x-agent": "a"}),
        Match(tool="Agent"),
        Match(side_call=True),
        Match(model="claude", user="feature"),
    ],
)
def test_one_field_that_does_not_hold_is_enough(match: Match) -> None:
    assert not match(REQUEST)


def test_a_script_is_made_of_turns_or_of_a_function() -> None:
    turns = [Turn([Say("x")])]
    script = Script([Scene(turns)])

    assert Script.of(turns) == script
    assert Script.of(script) is script
    assert callable(Script.of(lambda _: turns[0]).scenes[0].turns)


def test_a_script_is_made_of_data() -> None:
    script = from_data(
        {
            "scenes": [
                {
                    "name": "main",
                    "when": {"user": "bug"},
                    "turns": [
                        {
                            "parts": [{"type": "say", "text": "hi"}],
                            "faults": [{"type": "status", "status": 529, "times": 1}],
                        }
                    ],
                }
            ],
            "default": {"parts": [{"type": "say", "text": "what?"}]},
        }
    )

    turn = Turn([Say("hi")], faults=[Status(529, times=1)])
    assert script == Script([Scene([turn], Match(user="bug"), "main")], Turn([Say("what?")]))


def test_a_wrong_script_says_where() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.scenes\[0\]\.turns\[0\]"):
        from_data({"scenes": [{"turns": [{"parts": "hi"}]}]})
