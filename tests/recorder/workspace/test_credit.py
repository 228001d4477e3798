from __future__ import annotations

import pytest

from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.credit import Call, Command, Owner, share_out
from traceproof.recorder.workspace.tree import Leaf

MS = 1_000_000


def owner(when: int, calls: list[Call], commands: list[Command], path: bytes = b"a") -> Owner:
    change = Change(path, None, Leaf("100644", "0" * 40), when * MS)
    (share,) = share_out([change], calls, commands)
    return share.owner


def call(name: str, opened: int = 100, *paths: bytes, able: bool = True) -> Call:
    return Call(name, opened * MS, frozenset(paths), able)


def ran(name: str, tool: str, start: int, end: int = 0, *, goes_on: bool = False) -> Command:
    return Command(name, tool, start * MS, end * MS, goes_on)


@pytest.mark.parametrize(
    ("when", "calls", "commands", "expected"),
    [
        (150, [], [], Owner(actor="unknown")),
        (50, [call("t")], [], Owner(actor="unknown")),
        (95, [call("t")], [], Owner(("t",), "window")),
        (150, [call("t")], [], Owner(("t",), "window")),
        (150, [call("t", able=False)], [], Owner(actor="unknown")),
        (150, [call("t"), call("u")], [], Owner(("t", "u"), "window")),
        (150, [call("t"), call("u", 100, b"a")], [], Owner(("u",), "path")),
        (50, [call("u", 100, b"a")], [], Owner(("u",), "path")),
        (150, [call("t"), call("u", 100, b"b")], [], Owner(("t",), "window")),
        (150, [call("t")], [ran("c", "t", 120, 160)], Owner(("c",), "command")),
        (170, [call("t")], [ran("c", "t", 120, 160)], Owner(("t",), "window")),
        (170, [call("t"), call("u")], [ran("c", "t", 120, 160)], Owner(("u",), "window")),
        (150, [call("t")], [ran("c", "t", 120), ran("d", "t", 140)], Owner(("c", "d"), "command")),
        (150, [], [ran("c", "", 120)], Owner(("c",), "command")),
        (150, [call("t")], [ran("c", "", 120)], Owner(("t", "c"), "window")),
        (150, [call("t", 100, b"a")], [ran("c", "", 120)], Owner(("t",), "path")),
        (
            50, [call("t", 100, b"a"), call("s", 10)], [ran("c", "s", 20, 60)],
            Owner(("c",), "command"),
        ),
        (150, [], [ran("c", "gone", 20)], Owner(actor="background")),
        (150, [], [ran("c", "gone", 20, 60, goes_on=True)], Owner(actor="background")),
        (150, [call("t", 100, b"b")], [ran("c", "gone", 20)], Owner(actor="background")),
        (150, [call("t")], [ran("c", "gone", 20)], Owner(("t",), "window")),
    ],
)  # fmt: skip
def test_whose_it_is(
    when: int, calls: list[Call], commands: list[Command], expected: Owner
) -> None:
    assert owner(when, calls, commands) == expected


def test_one_look_can_be_several_steps_in_the_order_of_time() -> None:
    leaf = Leaf("100644", "0" * 40)
    changes = [Change(b"late", None, leaf, 150 * MS), Change(b"early", None, leaf, 20 * MS)]

    shares = share_out(changes, [call("t")], [], visitor="human")

    assert [(share.owner.actor, share.owner.spans) for share in shares] == [
        ("human", ()),
        ("", ("t",)),
    ]
