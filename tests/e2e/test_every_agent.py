"""What holds for every agent and every way to run it: nothing lost, changed, or left unmasked.

In forward mode its answers come oddly: cut inside characters, with thinking, encoded, with tool
calls at once, slowly. None of that changes anything. What breaks is in `test_fault_matrix.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
import pytest

from support.agents import ALL
from support.secrets import found, leaks, plain_of
from support.stage import Stage
from support.trace import Recorded
from support.variant import HELLO, PROGRAM, PROMPT, WROTE, Variant, with_faults, with_thought
from traceproof.proxy.testing import Delay, Encode, Split, Turn, Use
from traceproof.recorder import semconv
from traceproof.recorder.chunks import decode_chunks
from traceproof.recorder.span import Span

pytestmark = pytest.mark.agents

THOUGHT = "First the file ✓, then the shell."
SLOW = 0.03


def messages(chat: Span) -> dict[str, list[str]]:
    """Return the texts of an answer by the types of its parts."""
    (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
    types = {part["type"] for part in answer["parts"]}
    return {
        kind: [part.get("content", "") for part in answer["parts"] if part["type"] == kind]
        for kind in types
    }


def called(done: Recorded) -> list[Span]:
    """Return the tool calls of the API: a command in the text of an answer is none."""
    return [tool for tool in done.tools if semconv.EVIDENCE not in tool.attributes]


def answered(done: Recorded) -> list[Span]:
    return [tool for tool in called(done) if tool.attributes[semconv.TOOL_STATE] == "answered"]


def check(stage: Stage, variant: Variant, turns: Sequence[Turn], done: Recorded) -> None:
    """Check that the session went as without a recorder, and that its trace is whole and clean."""
    secrets = variant.secrets(stage)
    assert done.ended.returncode == 0, done.ended.stderr.decode()
    assert (stage.workdir / HELLO).read_text() == PROGRAM
    assert (done.problems, done.log) == ([], "")
    assert done.differences(variant.hide(stage)) == []
    assert done.elsewhere <= variant.elsewhere

    asked = [call for call in done.model_calls if call.scene == "main"]
    assert len(asked) == len(done.chats()) == len(turns)
    *_, last = plain_of(asked[-1].request_body)
    assert found(last, secrets) == {"GITHUB_TOKEN"}
    assert leaks(stage, done, secrets, commands=False) == set()

    root = done.root.attributes
    told = (root[semconv.AGENT_NAME], root[semconv.AGENT_VERSION], root[semconv.PROCESS_EXIT_CODE])
    assert told == (variant.agent, variant.version, 0)
    assert PROMPT in done.prompts[0]
    for chat in done.chats():
        assert chat.attributes[semconv.PROVIDER_NAME] == variant.provider
        assert chat.attributes[semconv.CALL_STATE] == "complete"
    assert "<SECRET:GITHUB_TOKEN>" in str(messages(done.chats()[-1]))
    states = [tool.attributes[semconv.TOOL_STATE] for tool in called(done)]
    assert bool(states) is variant.tools is (done.tools == called(done))
    left = sum(isinstance(part, Use) for part in variant.finish)
    assert states[len(states) - left :] == ["unanswered"] * left
    assert len(answered(done)) == len(states) - left


REVERSE = [variant for variant in ALL if "reverse" in variant.modes]


@pytest.mark.parametrize("variant", REVERSE, ids=lambda variant: variant.name)
def test_in_reverse_mode(stage: Stage, variant: Variant) -> None:
    turns = variant.turns(stage)

    done = variant.record(stage, turns, "reverse")

    check(stage, variant, turns, done)
    assert len(answered(done)) == (2 if variant.tools else 0)


def oddly(variant: Variant, turns: Sequence[Turn]) -> list[Turn]:
    first, second, *more, last = turns
    if variant.tools:
        parts = [*second.parts, variant.shell("echo second")]
        second = msgspec.structs.replace(second, parts=parts)
    return [
        with_thought(with_faults(first, Split("characters")), THOUGHT),
        with_faults(second, Encode("gzip")),
        *more,
        with_faults(last, Delay(first=0.1, each=SLOW)),
    ]


@pytest.mark.parametrize("variant", ALL, ids=lambda variant: variant.name)
def test_in_forward_mode_with_answers_that_come_oddly(stage: Stage, variant: Variant) -> None:
    turns = oddly(variant, variant.turns(stage))

    done = variant.record(stage, turns)

    check(stage, variant, turns, done)
    first, second, *_, last = done.chats()
    assert messages(first)["reasoning"] == [THOUGHT]
    assert messages(first)["text"][0].startswith(WROTE)
    assert second.attributes.get(semconv.RESPONSE_ENCODING, "") == variant.gzip
    arrivals = decode_chunks(last.start, str(last.attributes[semconv.RESPONSE_CHUNKS]))
    spread = arrivals[-1].time - arrivals[0].time
    assert (spread > SLOW * 1e9) is variant.streams
    if variant.tools:
        _, shown, said = [str(tool.attributes[semconv.TOOL_CALL_RESULT]) for tool in answered(done)]
        assert "hi" in shown
        assert "second" in said
