from __future__ import annotations

import json
import time
from typing import Any

from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.proxy.dialects.gemini import Gemini
from traceproof.proxy.team.prefix import Prefixes, names_of


def asked(*texts: str, **more: Any) -> list[int]:
    messages = [
        {"role": "assistant" if n % 2 else "user", "content": text, **more}
        for n, text in enumerate(texts)
    ]
    return names_of(AnthropicMessages(), json.dumps({"messages": messages}).encode())


def test_each_beginning_of_a_conversation_has_a_name() -> None:
    short, long = asked("a", "b", "c"), asked("a", "b", "c", "d", "e")

    assert long[:3] == short
    assert len(set(long)) == 5
    assert asked("x", "b", "c")[2] != short[2]


def test_cache_markers_do_not_matter() -> None:
    assert asked("a", "b", cache_control={"type": "ephemeral"}) == asked("a", "b")


def test_other_wire_formats_have_names_too() -> None:
    body = json.dumps({"contents": [{"parts": [{"text": "a"}]}] * 2}).encode()
    assert len(names_of(Gemini(), body)) == 2


def test_what_is_no_conversation_has_none() -> None:
    assert names_of(AnthropicMessages(), b"") == []
    assert names_of(AnthropicMessages(), b"\x00{") == []
    assert names_of(AnthropicMessages(), b'{"messages":[]}') == []


def test_a_request_that_goes_on_is_of_the_same_session() -> None:
    known: Prefixes[str] = Prefixes()
    known.add(asked("a"), "one")

    assert known.find(asked("a", "b", "c")) == "one"
    assert known.find(asked("x", "b", "c")) is None
    assert known.find([]) is None


def test_the_same_words_again_begin_another_conversation() -> None:
    known: Prefixes[str] = Prefixes()
    known.add(asked("a"), "one")
    assert known.find(asked("a")) is None
    known.add(asked("a"), "two")

    # each goes on once, then goes on as itself
    assert known.find(asked("a", "b", "c")) == "one"
    known.add(asked("a", "b", "c"), "one")
    assert known.find(asked("a", "B", "C")) == "two"
    known.add(asked("a", "B", "C"), "two")
    assert known.find(asked("a", "b", "c", "d", "e")) == "one"
    assert known.find(asked("a", "B", "C", "d", "e")) == "two"


def test_a_failed_call_that_is_sent_again_is_a_retry() -> None:
    known: Prefixes[str] = Prefixes()
    known.add(asked("a"), "one")
    known.failed(asked("a"), "one")

    assert known.find(asked("a")) == "one"
    assert known.find(asked("a")) is None


def test_a_request_may_go_back_in_its_conversation() -> None:
    known: Prefixes[str] = Prefixes()
    known.add(asked("a"), "one")
    assert known.find(asked("a", "b", "c")) == "one"
    known.add(asked("a", "b", "c"), "one")

    assert known.find(asked("a", "b", "other")) == "one"


def test_a_session_that_is_over_is_forgotten() -> None:
    known: Prefixes[str] = Prefixes()
    for key, text in (("one", "a"), ("two", "x")):
        known.add(asked(text), key)
        known.failed(asked(text), key)
    known.forget("one")

    assert [known.find(asked("a")), known.find(asked("a", "b", "c"))] == [None, None]
    assert known.find(asked("x")) == "two"


def test_memory_is_bounded() -> None:
    known: Prefixes[int] = Prefixes(most=10)
    for number in range(100):
        known.add(asked(str(number)), number)

    assert len(known._seen) == len(known._tips) == 10
    assert known.find(asked("99", "b", "c")) == 99
    assert known.find(asked("1", "b", "c")) is None


def test_to_forget_one_of_many_costs_what_it_is_alone() -> None:
    known: Prefixes[int] = Prefixes()
    for number in range(20_000):
        known.add([number], number)
    began = time.process_time()
    for number in range(20_000):
        known.forget(number)

    assert time.process_time() - began < 2
    assert (known._seen, known._tips, known._names) == ({}, {}, {})


def test_the_end_of_a_call_that_nobody_remembers_leaves_nothing() -> None:
    known: Prefixes[str] = Prefixes()
    known.failed(asked("a"), "one")

    assert known.find(asked("a")) is None
