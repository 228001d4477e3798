"""Every agent meets an answer that is refused or breaks off; the trace says what happened.

What the agent does then is its own way, written down with its variants (`support.agents`). Answers
that come oddly, but whole, are in `test_every_agent.py`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import pytest

from support.agents import ALL
from support.stage import Stage
from support.variant import Outcome, Variant, with_faults
from traceproof.proxy.testing import Drop, ErrorEvent, Status, Turn
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

EVERY = pytest.mark.parametrize("variant", ALL, ids=lambda variant: variant.name)
OVERLOADED = Status(529, times=1)
ERROR = ErrorEvent(after=3, times=1)
DROP = Drop(after=200, times=1)


class Told(NamedTuple):
    """What the trace says of one try."""

    state: str
    error: str = ""
    resends: int = 0


def told(chat: Span) -> Told:
    attributes = chat.attributes
    return Told(
        str(attributes[semconv.CALL_STATE]),
        str(attributes.get(semconv.ERROR_TYPE, "")),
        int(str(attributes.get(semconv.HTTP_RESEND_COUNT, 0))),
    )


def expected(outcome: Outcome) -> list[Told]:
    """Return what is to be told of the tries of a turn that breaks once."""
    again = [Told("complete", "", number) for number in range(1, outcome.tries)]
    return [Told(outcome.state, outcome.error), *again]


def retried(chats: list[Span]) -> list[list[str]]:
    return [
        [link.span_id for link in chat.links if link.attributes[semconv.LINK_TYPE] == "retry_of"]
        for chat in chats
    ]


def check_turn(chats: list[Span], outcome: Outcome) -> None:
    """Check that the tries of a turn are told as they were, each linked to the one before."""
    assert [told(chat) for chat in chats] == expected(outcome)
    assert retried(chats) == [[], *([chat.span_id] for chat in chats[:-1])]


def play(stage: Stage, variant: Variant, turns: list[Turn], broken: Outcome) -> list[list[Span]]:
    """Record turns of which the second breaks; return the spans of each turn."""
    done = variant.record(stage, turns)

    hide = variant.hide(stage)
    assert done.ended.returncode == broken.code, done.ended.stderr.decode()
    assert (done.problems, done.differences(hide)) == ([], [])
    spans: defaultdict[int, list[Span]] = defaultdict(list)
    for span, call in done.pairs(hide):
        if call.scene == "main" and call.cue:
            spans[call.cue.step].append(span)
    assert sorted(spans) == list(range(len(turns) if broken.finished else 2))
    return [spans[step] for step in sorted(spans)]


@EVERY
def test_a_refusal_and_then_an_error_in_a_stream(stage: Stage, variant: Variant) -> None:
    first, second, *more = variant.turns(stage)
    turns = [with_faults(first, OVERLOADED), with_faults(second, ERROR), *more]

    spans = play(stage, variant, turns, variant.outcomes["error"])

    check_turn(spans[0], variant.outcomes["overloaded"])
    check_turn(spans[1], variant.outcomes["error"])


@EVERY
def test_a_connection_that_drops(stage: Stage, variant: Variant) -> None:
    first, second, *more = variant.turns(stage)
    turns = [first, with_faults(second, DROP), *more]

    spans = play(stage, variant, turns, variant.outcomes["drop"])

    check_turn(spans[1], variant.outcomes["drop"])
