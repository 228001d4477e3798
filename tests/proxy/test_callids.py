from __future__ import annotations

from typing import Any

from traceproof.proxy.callids import CallIds, Mention, is_made, mentions, put
from traceproof.recorder import messages
from traceproof.recorder.messages import Message


def call(name: str, call_id: str = "") -> Message:
    return Message("assistant", [messages.tool_call(call_id, name, {})])


def answer(name: str, call_id: str = "") -> Message:
    part = messages.tool_call_response(call_id, "out")
    return Message("tool", [{**part, "name": name} if name else part])


def went_through(*talk: Message, opening: str = "Hello") -> tuple[CallIds, list[str]]:
    """Go through a conversation that begins with a prompt; return the ids in it."""
    ids, found = CallIds(), list[str]()
    ids.heard("user", opening)
    for message in talk:
        found += ids.ids(mentions(message))
        ids.heard(message.role, "more")
    return ids, found


def test_ids_that_are_given_stay() -> None:
    assert went_through(call("ls", "c1"), answer("", "c1"), answer("", "c9"))[1] == [
        "c1",
        "c1",
        "c9",
    ]


def test_a_result_answers_the_first_call_of_its_name_that_waits() -> None:
    both = Message("assistant", [*call("ls").parts, *call("cat").parts, *call("ls").parts])
    _, found = went_through(both, answer("cat"), answer("ls"), answer("ls"))
    first, other, second = found[:3]

    assert found[3:] == [other, first, second]
    assert first.startswith("ls#0.")
    assert second.startswith("ls#1.")
    assert len({first, other, second}) == 3


def test_an_id_that_the_agent_made_up_counts_for_nothing() -> None:
    _, found = went_through(call("ls"), answer("ls", "ls-1700-abc"))

    assert found[0] == found[1]


def test_a_call_whose_answer_gave_no_id_is_that_call_whatever_the_agent_calls_it() -> None:
    made = set[str]()
    first = CallIds(made)
    first.heard("user", "Hello")
    asked = [Message("assistant", [*call("ls").parts, *call("ls").parts])]
    first.answer(asked)

    later = CallIds(made)
    later.heard("user", "Hello")
    again = Message("assistant", [*call("ls", "ls_17_0").parts, *call("ls", "ls_17_1").parts])
    found = [*later.ids(mentions(again)), *later.ids(mentions(answer("ls", "ls_17_1")))]
    found += [*later.ids(mentions(answer("ls", "ls_17_0"))), *later.ids(mentions(call("ls", "c")))]

    one, two = (part["id"] for part in asked[0].parts)
    assert found == [one, two, two, one, "c"]


def test_an_answer_s_calls_have_the_ids_that_they_will_have_in_the_next_request() -> None:
    before = [call("ls"), answer("ls")]
    ids, _ = went_through(*before)
    made = [call("ls"), call("ls")]
    ids.answer(made)
    _, found = went_through(*before, call("ls"), answer("ls"))

    assert made[0].parts[0]["id"] == made[1].parts[0]["id"] == found[2] == found[3]


def test_conversations_are_told_apart_by_how_they_open() -> None:
    assert went_through(call("ls"))[1] != went_through(call("ls"), opening="Bye")[1]


def test_results_of_no_call() -> None:
    assert went_through(answer("ls"), answer("", ""))[1] == ["", ""]


def test_an_id_that_a_part_had_is_kept_beside() -> None:
    message = answer("ls", "made-up")
    put(message, ("ls#0",))
    put(message, ("ls#0",))

    part: dict[str, Any] = message.parts[0]
    assert (part["id"], part["extra"]) == ("ls#0", {"id": "made-up"})


def test_only_calls_and_results_are_mentioned() -> None:
    said = Message("assistant", [messages.text("x"), *call("ls", "c").parts])

    assert mentions(said) == (Mention("c", "ls", False),)
    assert mentions(answer("ls")) == (Mention("", "ls", True),)


def test_results_that_say_nothing_answer_the_calls_in_order() -> None:
    ids = CallIds()

    asked = ids.ids([Mention("", "Bash", is_result=False), Mention("", "Bash", is_result=False)])
    answered = ids.ids([Mention("", "", is_result=True), Mention("", "", is_result=True)])

    assert answered == asked
    assert all(map(is_made, asked))
    assert not is_made("toolu_01")
