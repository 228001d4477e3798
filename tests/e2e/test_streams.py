"""However an answer comes, the agent understands it and the trace has its bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from traceproof.proxy.testing import (
    Burst,
    CrLf,
    Delay,
    Encode,
    Frame,
    Huge,
    Insert,
    Say,
    Split,
    Think,
    Turn,
    scenarios,
)
from traceproof.recorder import semconv
from traceproof.recorder.chunks import decode_chunks

if TYPE_CHECKING:
    from support.stage import Stage
    from support.trace import Recorded
    from traceproof.proxy.testing.faults import AnyFault

pytestmark = pytest.mark.agents

SAID = "naïve ✓ 😀 — said in bits"
WAYS: dict[str, list[AnyFault]] = {
    "gzip": [Encode("gzip")],
    "br": [Encode("br")],
    "zstd": [Encode("zstd")],
    "deflate": [Encode("deflate")],
    "gzip byte by byte": [Encode("gzip"), Split("bytes", 7)],
    "slow": [Delay(first=0.1, each=0.03)],
    "characters cut": [Split("characters")],
    "lines cut": [Split("lines", 5)],
    "all at once": [Burst()],
    "CR LF": [CrLf()],
    "an unknown event": [Insert(after=2, event={"type": "novelty", "weight": 7})],
    "until the connection closes": [Frame("close")],
    "length told before": [Frame("length")],
}


def turn(way: str, faults: list[AnyFault]) -> Turn:
    thought, ran = Think(f"{way}: {SAID}"), scenarios.bash(f"echo '{way}'", way)
    return Turn([thought, Say(SAID), ran], faults=faults, piece=5)


def told_encodings(done: Recorded) -> dict[str, str]:
    """Return the content coding of each way's answer, as the trace tells it."""
    return {
        way: str(chat.attributes.get(semconv.RESPONSE_ENCODING, ""))
        for way, chat in zip(WAYS, done.chats(), strict=False)
    }


def test_claude_code_and_the_trace_take_every_way_an_answer_can_come(stage: Stage) -> None:
    turns = [turn(way, faults) for way, faults in WAYS.items()]
    script = scenarios.claude(*turns, Turn([Say("All heard.")], faults=[Huge(2)]))

    done = stage.record(script, *stage.claude())

    assert done.ended.returncode == 0
    assert done.result["result"].endswith("All heard.")
    assert (done.problems, done.log) == ([], "")
    assert done.differences() == []
    chats = done.chats()
    assert len(chats) == len(WAYS) + 1
    assert {chat.attributes[semconv.CALL_STATE] for chat in chats} == {"complete"}
    results = [str(tool.attributes[semconv.TOOL_CALL_RESULT]) for tool in done.tools]
    assert [result.partition("\n")[0] for result in results] == list(WAYS)
    for way, chat in zip(WAYS, chats, strict=False):
        (answer,) = json.loads(str(chat.attributes[semconv.OUTPUT_MESSAGES]))
        thought, said, _ = answer["parts"]
        assert (thought["content"], said["content"]) == (f"{way}: {SAID}", SAID)
    encodings = told_encodings(done)
    assert {way for way, encoding in encodings.items() if encoding == "gzip"} == {
        "gzip",
        "gzip byte by byte",
    }
    assert [encodings[name] for name in ("br", "zstd", "deflate")] == ["br", "zstd", "deflate"]
    unknown = chats[list(WAYS).index("an unknown event")].attributes
    assert json.loads(str(unknown[semconv.RESPONSE_UNKNOWN])) == [{"type": "novelty", "weight": 7}]


def test_when_each_piece_came_is_in_the_trace(stage: Stage) -> None:
    script = scenarios.claude(Turn([Say(SAID)], piece=4, faults=[Delay(each=0.03)]))

    done = stage.record(script, *stage.claude())

    (chat,) = done.chats()
    (call,) = [call for call in done.model_calls if call.scene == "main"]
    arrivals = decode_chunks(chat.start, str(chat.attributes[semconv.RESPONSE_CHUNKS]))
    assert sum(arrival.size for arrival in arrivals) == len(call.response_body)
    assert len(arrivals) >= len(call.answer.chunks) / 2
    assert arrivals[-1].time - arrivals[0].time > 0.03e9 * (len(arrivals) - 1) * 0.5
    assert chat.start <= arrivals[0].time <= arrivals[-1].time <= chat.end


def test_aider_and_the_trace_take_what_is_encoded_cut_and_slow(stage: Stage) -> None:
    ways: list[list[AnyFault]] = [
        [Encode("gzip"), Split("bytes", 9)],
        [Split("characters"), Delay(first=0.1, each=0.02)],
        [Encode("deflate"), Burst()],
    ]
    testing = ("--auto-test", "--test-cmd", "python3 hello.py | grep -qx hi")

    done = stage.record(stage.hello(ways), *stage.aider(*testing))

    assert done.ended.returncode == 0
    assert (stage.workdir / "hello.py").read_text() == 'print("hi")\n'
    assert (done.problems, done.log, done.differences()) == ([], "", [])
    told = [
        (chat.attributes[semconv.CALL_STATE], chat.attributes.get(semconv.RESPONSE_ENCODING))
        for chat in done.chats()
    ]
    assert told == [("complete", "gzip"), ("complete", None), ("complete", "deflate")]
