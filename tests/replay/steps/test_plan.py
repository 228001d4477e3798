from __future__ import annotations

from typing import Any

import pytest

from traceproof.replay.steps.facts import Change, Command
from traceproof.replay.steps.plan import Action, plan, why_not


def command(name: str, started: int = 1, ended: int = 2, **more: Any) -> Command:
    told = {"text": "true", "tool": "Bash", **more}
    return Command(span_id=name, started=started, ended=ended, **told)


def change(number: int, time: int, *owners: str) -> Change:
    return Change(number=number, time=time, owners=owners, name="Edit")


def order(actions: list[Action]) -> list[str]:
    return [
        action.command.span_id if action.command else f"{action.kind} {action.changes[0].number}"
        for action in actions
    ]


def test_commands_and_changes_come_in_order_of_time() -> None:
    actions = plan(
        [command("b", 50, 60), command("a", 10, 20), command("own", 30, 40, tool="")],
        [
            change(1, 5),
            change(2, 12, "a"),
            change(3, 25, "edit"),
            change(4, 35, "own"),
            change(5, 70),
        ],
    )

    assert order(actions) == ["external 1", "a", "edit 3", "agent 4", "b", "external 5"]
    assert [action.number for action in actions] == [1, 2, 3, 4, 5, 6]
    assert [made.number for made in actions[1].changes] == [2]


def test_a_change_that_was_seen_before_a_commands_own_comes_before_it() -> None:
    actions = plan([command("a", 10, 20)], [change(1, 12, "edit"), change(2, 15, "a")])

    assert order(actions) == ["edit 1", "a"]


def test_a_shared_change_is_the_last_commands_and_the_first_is_unsettled() -> None:
    actions = plan(
        [command("a", 10, 40), command("b", 20, 30), command("c", 50, 60)],
        [change(1, 25, "a", "b")],
    )

    assert [(action.unsettled, len(action.changes)) for action in actions] == [
        (True, 0), (False, 1), (False, 0),
    ]  # fmt: skip
    assert [len(action.notes) for action in actions] == [1, 1, 0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"state": "unrecorded"}, "paused"),
        ({"state": "running"}, "still running"),
        ({"state": "pending"}, "still running"),
        ({"state": "cut"}, "how it ended"),
        ({"background": True}, "background"),
        ({"signal": "SIGINT"}, "ended from outside (SIGINT)"),
        ({"signal": "SIGKILL"}, "ended from outside"),
        ({"text": "git push"}, "network (git push)"),
    ],
)
def test_why_a_command_is_not_replayed(more: dict[str, Any], words: str) -> None:
    assert words in why_not(command("a", **more), network=False)


def test_what_is_replayed() -> None:
    assert not why_not(command("a"), network=False)
    assert not why_not(command("a", signal="SIGSEGV"), network=False)
    assert not why_not(command("a", text="git push"), network=True)
    assert why_not(command("a", text="", argv=("sh", "curl", "x.org")), network=False)
