from __future__ import annotations

from traceproof.proxy.conversations import Conversations, Past
from traceproof.recorder.pieces import Content

A, B, C = (Content(name) for name in (b"a", b"b", b"c"))


def test_a_conversation_is_what_was_said_before_in_order() -> None:
    known = Conversations()
    known.add("one", [A, B])
    known.add("two", [C], "one")
    known.add("other", [B], "one")

    assert known.past("one") == Past([A, B], whole=True)
    assert known.past("two") == Past([A, B, C], whole=True)
    assert known.past("other") == Past([A, B, B], whole=True)


def test_what_goes_on_from_the_unknown_is_not_whole_nor_what_comes_after_it() -> None:
    known = Conversations()
    known.add("two", [B], "one")
    known.add("three", [C], "two")

    assert known.past("one") == Past([], whole=False)
    assert known.past("three") == Past([B, C], whole=False)


def test_old_responses_are_forgotten_and_their_words_stay_with_those_after_them() -> None:
    known = Conversations(remember=1)
    known.add("one", [A])
    known.add("two", [B], "one")

    assert known.past("one") == Past([], whole=False)
    assert known.past("two") == Past([A, B], whole=True)


def test_a_long_conversation_does_not_need_a_deep_stack() -> None:
    known = Conversations()
    known.add("0", [A])
    for number in range(3000):
        known.add(str(number + 1), [B], str(number))

    assert len(known.past("3000").contents) == 3001
