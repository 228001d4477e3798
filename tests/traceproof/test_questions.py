from __future__ import annotations

from support.session_spans import by_hand, changed, chat, command, root, suite, tool
from traceproof.evidence import Evidence
from traceproof.questions import Answer, answers, completeness
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Span
from traceproof.spantree import SpanTree

PROMPT = Event(PROMPT_EVENT, 1, {"content": "Fix it."})
AGREED = frozenset({"goal", "acceptance"})


def ask(*spans: Span, contract: frozenset[str] = frozenset()) -> dict[int, Answer]:
    tree = SpanTree(spans)
    assert tree.root
    return {answer.number: answer for answer in answers(Evidence(tree, tree.root), contract)}


def test_there_are_ten_and_completeness_is_the_share_answered() -> None:
    told = ask(root(PROMPT), chat(INPUT_MESSAGES="[]"))

    assert list(told) == list(range(1, 11))
    answered = [number for number, answer in told.items() if answer.answered]
    assert answered == [1, 3, 4, 6, 7]
    assert completeness(list(told.values())) == 0.5


def test_what_is_not_answered_says_what_would_answer_it() -> None:
    told = ask(root(TREE_START=None))

    missing = [answer for answer in told.values() if not answer.answered]
    assert len(missing) == 10
    assert all(answer.note and not answer.spans for answer in missing)


def test_a_contract_says_what_the_task_was_and_when_it_is_done() -> None:
    told = ask(root(PROMPT), contract=AGREED)

    assert (told[1].note, told[2].note) == ("the contract's goal", "the contract's acceptance")
    assert told[1].spans == told[2].spans == ["a" * 16]


def test_a_prompt_stands_for_the_task_but_agrees_on_no_end() -> None:
    told = ask(root(PROMPT))

    assert told[1].note == "the first prompt; there is no contract"
    assert not told[2].answered


def test_the_first_failure_is_named() -> None:
    told = ask(
        root(),
        command("k1", end=5, PROCESS_EXIT_CODE=1, ERROR_TYPE="1"),
        suite("r1", "failure", "one", end=4),
        tool("t2", end=8, TOOL_IS_ERROR=True),
    )

    assert told[5].spans == ["r1"]
    assert told[5].note == "3 failures; this is the first"
    assert told[8].spans == ["r1"]


def test_that_no_check_failed_is_an_answer_and_that_none_was_seen_is_not() -> None:
    clean = ask(root(), command("k1", PROCESS_EXIT_CODE=0), suite("r1", "success", "one"))
    unseen = ask(root(SHELL_HOOKS=None))

    assert (clean[5].answered, clean[5].note) == (True, "no check failed")
    assert not unseen[5].answered
    assert not unseen[8].answered
    assert "doctor" in unseen[8].note


def test_changes_by_hand_are_answers_and_their_reasons_are_a_persons_to_tell() -> None:
    told = ask(root(by_hand()), tool("t1", changed()))

    assert (told[6].answered, told[6].note) == (True, "changes by hand: 1")
    assert not told[7].answered


def test_what_a_background_job_changed_is_no_humans_doing() -> None:
    told = ask(root(by_hand("background")))

    assert told[6].note == "nothing while it was recorded"
    assert told[7].note == "nothing was changed"


def test_what_nobody_knows_who_changed_is_no_answer() -> None:
    told = ask(root(by_hand("unknown")))

    note = "changes that no tool made, by whom is not known: 1"
    assert (told[6].answered, told[6].note) == (False, note)
    both = ask(root(by_hand("unknown"), by_hand()))[6]
    assert both.note == "changes by hand: 1; by whom is not known: 1"


def test_a_check_whose_end_nobody_knows_says_nothing() -> None:
    told = ask(root(), command("k1", PROCESS_EXIT_CODE=0), suite("r1", ""))

    assert [told[number].answered for number in (5, 8)] == [False, False]
    assert told[8].note == "how the checks ended is not known"


def test_a_plan_is_one_that_was_written_down() -> None:
    assert ask(root(), chat(), tool("t1", name="TodoWrite"))[4].spans == ["t1"]
    assert not ask(root(), chat(), tool("t1"))[4].answered


def test_a_trace_that_is_reserved_goes_to_evaluation() -> None:
    assert ask(root(RESERVE_EVAL=True))[10].note == "reserved for evaluation"
