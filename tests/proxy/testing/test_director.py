from __future__ import annotations

from traceproof.proxy.testing import Echo, Match, Request, Say, Scene, Script, Turn, Use
from traceproof.proxy.testing.director import Director, resolve
from traceproof.proxy.testing.request import Said, View
from traceproof.proxy.testing.wire import Reply

ASKED = Said("user", "do it")
TOOL = Turn([Use("Bash", {})])
DONE = Turn([Say("Done.")])


def request(*messages: Said, agent: str = "") -> Request:
    headers = [("x-claude-code-agent-id", agent)] if agent else []
    return Request("POST", "/v1/messages", headers, b"", View(messages=messages or [ASKED]))


def called(step: int, scene: int = 0) -> Said:
    """Return the message that shows the turn `step` by its tool call's id."""
    return Said("assistant", calls=("toolu_" + Reply(TOOL, scene, step, "talk", "m").mark("p0"),))


def steps(script: Script, *requests: Request) -> list[tuple[str, int, int]]:
    director = Director(script)
    cues = [director.cue(request) for request in requests]
    return [(cue.name, cue.step, cue.attempt) for cue in cues]


def test_the_next_turn_is_after_those_the_conversation_shows() -> None:
    script = Script([Scene([TOOL, TOOL, DONE])])
    talk = (ASKED, called(0), Said("user", results=("r",)))

    assert steps(script, request(), request(*talk), request(*talk, called(1))) == [
        ("", 0, 0),
        ("", 1, 0),
        ("", 2, 0),
    ]


def test_the_order_of_arrival_does_not_matter() -> None:
    script = Script([Scene([TOOL, TOOL, DONE])])

    assert steps(script, request(ASKED, called(0), called(1)), request()) == [
        ("", 2, 0),
        ("", 0, 0),
    ]


def test_a_request_sent_again_gets_the_same_turn_again() -> None:
    script = Script([Scene([TOOL, DONE])])
    again = request(ASKED, called(0))

    assert steps(script, again, again, again) == [("", 1, 0), ("", 1, 1), ("", 1, 2)]


def test_conversations_count_their_attempts_apart() -> None:
    script = Script([Scene([TOOL])])

    assert steps(script, request(agent="a"), request(agent="b")) == [("", 0, 0), ("", 0, 0)]


def test_turns_of_text_are_known_by_their_words() -> None:
    script = Script([Scene([Turn([Say("First.")]), Turn([Say("Second.")]), DONE])])
    example = Said("assistant", "An example of how to answer.")
    first, second = Said("assistant", "First.\n"), Said("assistant", "Second.")

    assert steps(
        script,
        request(example, ASKED),
        request(example, ASKED, first),
        request(example, ASKED, first, second),
    ) == [("", 0, 0), ("", 1, 0), ("", 2, 0)]


def test_a_call_with_an_id_of_its_own_is_known_by_it() -> None:
    script = Script([Scene([Turn([Use("Bash", {}, id="mine")]), DONE])])

    assert steps(script, request(ASKED, Said("assistant", calls=("mine",)))) == [("", 1, 0)]


def test_a_computed_turn_counts_as_shown_by_whatever_followed() -> None:
    script = Script([Scene([TOOL, lambda _: Turn([Say("made up")]), DONE])])

    assert steps(script, request(ASKED, called(0), Said("assistant", "made up"))) == [("", 2, 0)]


def test_the_first_scene_that_matches_answers() -> None:
    script = Script(
        [Scene([DONE], Match(user="part"), "part"), Scene([TOOL, DONE], name="main")],
    )
    main = request(ASKED, called(0, scene=1))

    assert steps(script, request(Said("user", "part a")), request(), main) == [
        ("part", 0, 0),
        ("main", 0, 0),
        ("main", 1, 0),
    ]


def test_after_the_last_turn_comes_the_default() -> None:
    director = Director(Script([Scene([TOOL], name="main")]))
    cue = director.cue(request(ASKED, called(0)))

    assert (cue.scene, cue.turn) == (-1, Turn([Say("OK")]))


def test_a_scene_may_repeat_its_last_turn() -> None:
    script = Script([Scene([DONE], repeat=True)])
    said = Said("assistant", "Done.")

    assert steps(script, request(ASKED, said), request(ASKED, said, said)) == [
        ("", 1, 0),
        ("", 2, 0),
    ]


def test_what_no_scene_takes_gets_the_default() -> None:
    cue = Director(Script([Scene([TOOL], Match(user="other"))])).cue(request())

    assert (cue.scene, cue.turn) == (-1, Turn([Say("OK")]))


def test_a_function_may_answer_everything() -> None:
    script = Script.of(lambda request: Turn([Say(request.user.upper())]))
    cue = Director(script).cue(request())

    assert cue.turn == Turn([Say("DO IT")])
    assert cue.computed


def test_an_echo_says_what_was_heard_last() -> None:
    heard = request(ASKED, Said("user", results=("KEY=one\nKEY=two\n",)))
    turn = Turn([Echo(r"KEY=(\S+)", "It is {}."), Echo("KEY"), Echo("none", "[{}]")])

    assert resolve(turn, heard).parts == [Say("It is two."), Say("KEY"), Say("[]")]
