from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.proxy.dialects.base import Texts
from traceproof.proxy.dialects.gemini import VertexGemini
from traceproof.proxy.dialects.gemini_arguments import GrowingCall


def call(**fields: Any) -> dict[str, Any]:
    return {"functionCall": fields}


def piece(path: str, *, more: bool = False, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path, **value, **({"willContinue": True} if more else {})}


def streamed(*parts: dict[str, Any]) -> tuple[list[dict[str, Any]], Texts]:
    """Return the parts of an answer that is streamed one part at a time, and its texts."""
    parser = VertexGemini().stream()
    events = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in parts]
    lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    texts = parser.read(lines.encode())
    return parser.close().messages[0].parts, texts


def test_pieces_of_arguments_make_a_call() -> None:
    said, texts = streamed(
        {**call(name="Write", id="c1", willContinue=True), "thoughtSignature": "sig"},
        call(partialArgs=[piece("$.path", stringValue="/a", more=True)], willContinue=True),
        call(partialArgs=[piece("$.path", stringValue=".py")], willContinue=True),
        call(partialArgs=[piece("$.lines[0].no", numberValue=1)], willContinue=True),
        call(partialArgs=[piece("$['lines'][1]", boolValue=True)], willContinue=True),
        call(partialArgs=[piece('$["none"]', nullValue="NULL_VALUE")], willContinue=True),
        call(),
        {"text": "Done."},
    )

    made, done = said
    assert made["type"] == "tool_call"
    assert (made["id"], made["name"]) == ("c1", "Write")
    assert made["arguments"] == {"path": "/a.py", "lines": [{"no": 1}, True], "none": None}
    assert "sig" in str(made)
    assert done["content"] == "Done."
    assert texts["0:args.0.$.path"] == ["/a", ".py"]


def test_two_calls_in_a_row_are_two() -> None:
    said, _ = streamed(
        call(name="ls", willContinue=True),
        call(partialArgs=[piece("$.a", stringValue="1")]),
        call(name="ls", partialArgs=[piece("$.a", stringValue="2")]),
        call(name="ls", args={"a": "3"}),
    )

    assert [part["arguments"] for part in said] == [{"a": "1"}, {"a": "2"}, {"a": "3"}]


def test_a_text_that_is_said_anew_is_not_a_text_that_grows() -> None:
    growing = GrowingCall()
    growing.add(call(name="a", partialArgs=[piece("$.a", stringValue="one")]))
    growing.add(call(partialArgs=[piece("$.a", stringValue="two")]))

    assert growing.value() == call(name="a", args={"a": "two"})


def test_a_text_may_turn_into_something_else() -> None:
    growing = GrowingCall()
    growing.add(call(name="a", partialArgs=[piece("$.a", more=True, stringValue="one")]))
    growing.add(call(args={"a": 5}, partialArgs=[piece("$.a", stringValue="two")]))

    assert growing.value() == call(name="a", args={"a": "two"})


def test_a_text_of_very_many_pieces_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        growing = GrowingCall()
        started = time.process_time()
        for _ in range(count):
            growing.add(call(partialArgs=[piece("$['a']", more=True, stringValue="x" * 50)]))
        growing.add(call(partialArgs=[piece("$.a", stringValue="!")]))
        taken = time.process_time() - started
        assert growing.value()["functionCall"]["args"] == {"a": "x" * 50 * count + "!"}
        return taken

    assert seconds(40_000) < 3  # adding to the text each time took 11


@pytest.mark.parametrize(
    "odd",
    [
        piece("a", stringValue="x"),
        piece("$", stringValue="x"),
        piece("$..a", stringValue="x"),
        piece("$.list[7]", stringValue="x"),
        piece("$.text.inner", stringValue="x"),
        piece("$[0]", stringValue="x"),
        piece("$" + ".a" * 3000, stringValue="x"),
        {"stringValue": "x"},
        "x",
        None,
    ],
)
def test_a_piece_that_has_no_place_is_kept(odd: Any) -> None:
    growing = GrowingCall()
    growing.add(call(name="a", partialArgs=[piece("$.text", stringValue="t")]))

    assert growing.add(call(partialArgs=[odd])) == []

    made = growing.value()["functionCall"]
    assert made["args"]["text"] == "t"
    assert made["partialArgs"] == [odd]


paths = st.text(st.sampled_from("$.[]'\"ab01"), max_size=12).map(lambda rest: "$" + rest)
values = st.sampled_from([{"stringValue": "s"}, {"numberValue": 1}, {"boolValue": False}, {}])
pieces = st.builds(lambda path, value, more: {"jsonPath": path, **value, "willContinue": more},
                   paths, values, st.booleans())  # fmt: skip


@given(st.lists(st.lists(pieces | st.none(), max_size=3), max_size=5))
def test_no_pieces_raise(parts: list[list[Any]]) -> None:
    growing = GrowingCall()
    for each in parts:
        growing.add(call(partialArgs=each, willContinue=True))

    json.dumps(growing.value())
