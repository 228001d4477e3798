"""When a provider fails, the agent goes on as ever, and the trace says what happened."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pytest

from traceproof.proxy.testing import (
    Cut,
    Drop,
    ErrorEvent,
    Say,
    Status,
    Turn,
    scenarios,
)
from traceproof.recorder import semconv

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded
    from traceproof.proxy.testing.faults import AnyFault
    from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

AIDER_TESTS = ("--auto-test", "--test-cmd", "python3 hello.py | grep -qx hi")


class Told(NamedTuple):
    """What the trace says of one try."""

    state: str
    error: str = ""
    resends: int = 0


FAULTS: dict[str, tuple[AnyFault, Told]] = {
    "refused: too many requests": (Status(429, times=1), Told("refused", "rate_limit_error")),
    "refused: overloaded": (Status(529, times=1), Told("refused", "overloaded_error")),
    "an error in the stream": (ErrorEvent(after=3, times=1), Told("cut", "overloaded_error")),
    "cut after some events": (Cut(events=4, times=1), Told("cut", "stream_cut")),
    "dropped inside an event": (Drop(after=700, times=1), Told("cut", "stream_cut")),
    "dropped before the first byte": (Drop(times=1), Told("failed", "no_response")),
}


AIDER_MEETS: dict[str, list[tuple[AnyFault, Told]]] = {
    "refusals": [
        (Status(429, times=1), Told("refused", "requests")),
        (Status(529, times=1), Told("refused", "server_error")),
        (Drop(times=1), Told("failed", "no_response")),
    ],
    "broken streams": [
        (Cut(events=4, times=1), Told("cut", "stream_cut")),
        (Drop(after=700, times=1), Told("cut", "stream_cut")),
        (ErrorEvent(after=3, times=1), Told("cut", "overloaded_error")),
    ],
}


def told(chat: Span) -> Told:
    attributes = chat.attributes
    return Told(
        str(attributes[semconv.CALL_STATE]),
        str(attributes.get(semconv.ERROR_TYPE, "")),
        int(str(attributes.get(semconv.HTTP_RESEND_COUNT, 0))),
    )


def tries(done: Recorded) -> list[list[Span]]:
    """Return the spans of each turn of the script, in order."""
    turns: defaultdict[int, list[Span]] = defaultdict(list)
    for span, call in done.pairs():
        if call.scene == "main" and call.cue:
            turns[call.cue.step].append(span)
    return [turns[step] for step in sorted(turns)]


def retried(chats: list[Span]) -> list[list[str]]:
    return [
        [link.span_id for link in chat.links if link.attributes[semconv.LINK_TYPE] == "retry_of"]
        for chat in chats
    ]


def test_claude_code_tries_again_and_each_try_is_a_span(stage: Stage) -> None:
    turns = [
        Turn([Say(f"{name}, and again."), scenarios.bash(f"echo '{name}'", name)], faults=[fault])
        for name, (fault, _) in FAULTS.items()
    ]
    script = scenarios.claude(*turns, Turn([Say("Done in spite of it all.")]))

    done = stage.record(script, *stage.claude())

    assert done.ended.returncode == 0
    assert done.result["result"] == "Done in spite of it all."
    assert done.problems == []
    assert done.differences() == []
    for (name, (_, first)), chats in zip(FAULTS.items(), tries(done), strict=False):
        assert [told(chat) for chat in chats] == [first, Told("complete", "", 1)], name
        assert retried(chats) == [[], [chats[0].span_id]], name
    answered = [
        str(tool.attributes[semconv.TOOL_CALL_RESULT]).partition("\n")[0]
        for tool in done.tools
        if tool.attributes[semconv.TOOL_STATE] == "answered"
    ]
    assert answered == list(FAULTS)
    assert done.view.totals.failed_calls == len(FAULTS)


@pytest.mark.parametrize("kind", AIDER_MEETS)
def test_aider_tries_again_and_each_try_is_a_span(stage: Stage, kind: str) -> None:
    script = stage.hello([[fault] for fault, _ in AIDER_MEETS[kind]])

    done = stage.record(script, *stage.aider(*AIDER_TESTS))

    assert done.ended.returncode == 0
    assert (stage.workdir / "hello.py").read_text() == 'print("hi")\n'
    assert done.problems == []
    assert done.differences() == []
    for (_, first), chats in zip(AIDER_MEETS[kind], tries(done), strict=True):
        assert [told(chat) for chat in chats] == [first, Told("complete", "", 1)]
        assert retried(chats) == [[], [chats[0].span_id]]
