"""Which call of the model a call at a server is taken for."""

from __future__ import annotations

import json
from typing import Any

from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.mcp.joins import ToolJoiner, Wanted
from traceproof.recorder.span import Span
from traceproof.recorder.toolcalls import Asker, OpenTool


class Story:
    """A joiner, and what it found: the model's call and how, by the name of the wanted one."""

    def __init__(self) -> None:
        self.joiner = ToolJoiner()
        self.found: dict[str, tuple[str, str]] = {}

    def asks(self, call_id: str, name: str, *, exact: bool = True, **given: Any) -> OpenTool:
        span = Span("1" * 32, f"{call_id:0>16}", name, start=20, end=20)
        request = ToolRequest(call_id, name, json.dumps(given), exact)
        tool = OpenTool(span, request, "c" * 16, Asker("", ""))
        self.joiner.asked(tool)
        return tool

    def ends(self, tool: OpenTool, time: int) -> None:
        tool.span.end = time
        self.joiner.ended(tool)

    def calls(
        self,
        what: str,
        tool: str,
        meta: dict[str, Any] | None = None,
        *,
        time: int = 30,
        **given: Any,
    ) -> None:
        def joined(found: OpenTool | None, how: str) -> None:
            assert what not in self.found
            self.found[what] = (found.request.call_id if found else "", how)

        self.joiner.join(Wanted(tool, "my sums", time, given, meta or {}, joined))


def test_the_id_that_the_agent_sends_along_is_exact() -> None:
    story = Story()
    story.asks("t1", "mcp__my_sums__add", a=1)
    story.asks("t2", "mcp__my_sums__add", a=1)

    story.calls("second", "add", {"claudecode/toolUseId": "t2"}, a=1)
    story.calls("first", "add", {"callId": "t1", "progressToken": 3}, a=1)

    assert story.found == {"second": ("t2", "exact"), "first": ("t1", "exact")}


def test_a_call_with_an_id_waits_for_its_own_and_for_no_other() -> None:
    story = Story()
    story.asks("t1", "mcp__my_sums__add")

    story.calls("early", "add", {"claudecode/toolUseId": "t2"})
    assert story.found == {}
    story.asks("t2", "mcp__my_sums__add")

    assert story.found == {"early": ("t2", "exact")}


def test_an_id_that_the_recorder_made_up_is_none() -> None:
    story = Story()
    story.asks("add#0", "mcp_my_sums_add", exact=False)

    story.calls("call", "add", {"progressToken": "add#0"})

    assert story.found == {"call": ("add#0", "inferred")}


def test_else_by_name_and_arguments() -> None:
    story = Story()
    story.asks("t1", "my_sums_add", a=1)
    story.asks("t2", "my_sums_add", a=2)
    story.asks("t3", "my_sums_added", a=3)
    story.asks("t4", "other_add", a=3)

    story.calls("two", "add", a=2)
    story.calls("one", "add", a=1)

    assert story.found == {"two": ("t2", "inferred"), "one": ("t1", "inferred")}


def test_equal_calls_are_taken_in_turn() -> None:
    story = Story()
    story.asks("t1", "my_sums_add", a=1)
    story.asks("t2", "my_sums_add", a=1)

    story.calls("one", "add", a=1)
    story.calls("two", "add", a=1)

    assert story.found == {"one": ("t1", "inferred"), "two": ("t2", "inferred")}


def test_a_name_alone_does_where_the_agent_changed_the_arguments() -> None:
    story = Story()
    story.asks("t1", "add", a="1", why="because")

    story.calls("one", "add", a=1)

    assert story.found == {"one": ("t1", "inferred")}


def test_a_program_that_calls_the_tool_is_its_call() -> None:
    story = Story()
    story.joiner.asked(
        OpenTool(
            Span("1" * 32, "b" * 16, "exec"),
            ToolRequest("t1", "exec", "text(await tools.mcp__my_sums__add({a: 1}));"),
            "c" * 16,
            Asker("", ""),
        )
    )

    story.calls("one", "add", {"callId": "exec-0b7c", "itemId": "ctc_1"}, a=1)

    assert story.found == {"one": ("t1", "inferred")}


def test_what_the_recorder_reads_late_finds_the_call_that_was_open_then() -> None:
    story = Story()
    first = story.asks("t1", "my_sums_add", a=1)
    story.ends(first, 25)
    second = story.asks("t2", "my_sums_add", a=1)
    story.ends(second, 50)

    story.calls("one", "add", a=1, time=30)
    story.calls("two", "add", {"callId": "t1"}, time=60)

    assert story.found == {"one": ("t2", "inferred")}


def test_what_finds_nothing_is_told_so_in_the_end() -> None:
    story = Story()
    story.calls("one", "add")
    story.asks("t1", "Bash", command="ls")
    assert story.found == {}

    story.joiner.close()

    assert story.found == {"one": ("", "")}


def test_not_everything_waits_for_ever() -> None:
    story = Story()
    for number in range(1001):
        story.calls(str(number), "add")

    assert story.found == {"0": ("", "")}
