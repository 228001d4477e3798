from __future__ import annotations

import pytest

from support.session_spans import by_hand, changed, chat, command, root, suite, tool
from traceproof.evidence import Evidence
from traceproof.factlist import Fact, Kind, State, facts
from traceproof.recorder.humanevents import QUEUED, SLASH_COMMAND
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Event, Span
from traceproof.spantree import SpanTree

PROMPT = Event(PROMPT_EVENT, 1, {"content": "Fix it."})


def of(*spans: Span) -> dict[tuple[str, str], Fact]:
    tree = SpanTree(spans)
    assert tree.root
    return {(fact.kind.value, fact.name): fact for fact in facts(Evidence(tree, tree.root))}


def test_there_are_facts_of_all_five_kinds() -> None:
    assert {kind for kind, _ in of(root())} == {kind.value for kind in Kind}


def test_what_is_there_is_counted_and_names_its_spans() -> None:
    found = of(
        root(PROMPT, PROCESS_EXIT_CODE=0, TREE_END="2" * 40),
        chat(SYSTEM_INSTRUCTIONS="[]", TOOL_DEFINITIONS="[]"),
        tool("t1", TOOL_CALL_RESULT="ok", TOOL_APPROVAL="granted"),
        tool("t2", changed(), name="edit_file", TOOL_APPROVAL="denied"),
        tool("t3", name="Read", TOOL_CALL_RESULT="text"),
        tool("t4", name="update_plan"),
        command("k1", PROCESS_EXIT_CODE=1, COMMAND_STDOUT="F."),
        suite("r1", "failure", "one", "two"),
    )

    there = {key: (fact.count, fact.spans) for key, fact in found.items() if fact.count}
    assert there == {
        ("in", "prompts"): (1, ["a" * 16]),
        ("in", "system prompt"): (1, ["c1"]),
        ("in", "tool definitions"): (1, ["c1"]),
        ("in", "context read"): (1, ["t3"]),
        ("did", "turns"): (1, ["c1"]),
        ("did", "plans"): (1, ["t4"]),
        ("did", "tool calls"): (4, ["t1", "t2", "t3", "t4"]),
        ("did", "edits"): (1, ["t2"]),
        ("did", "commands"): (1, ["k1"]),
        ("environment", "tool results"): (2, ["t1", "t3"]),
        ("environment", "command output"): (1, ["k1"]),
        ("environment", "exit codes"): (1, ["k1"]),
        ("environment", "test results"): (2, ["r1"]),
        ("human", "prompts"): (1, ["a" * 16]),
        ("human", "approvals"): (2, ["t1", "t2"]),
        ("ended", "exit code"): (1, ["a" * 16]),
        ("ended", "final diff"): (1, ["a" * 16]),
        ("ended", "test status"): (1, ["r1"]),
    }
    assert found["human", "approvals"].note == "1 granted, 1 denied"
    assert found["ended", "test status"].note == "failure"


def test_what_would_have_been_recorded_and_did_not_occur_is_none() -> None:
    found = of(root())

    none = {key for key, fact in found.items() if fact.state is State.NONE}
    assert none >= {
        ("did", "commands"),
        ("did", "edits"),
        ("environment", "test results"),
        ("human", "interruptions"),
        ("human", "changes by hand"),
    }


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"SHELL_HOOKS": None}, "shell commands were not recorded"),
        (
            {"SHELL_HOOKS": [], "SHELL_UNHOOKED": ["all shells: --no-shell"]},
            "shell commands were not recorded: all shells: --no-shell",
        ),
        ({"SHELL_UNHOOKED": ["bash: no rights"]}, "not all shells were reached: bash: no rights"),
        ({"IMPORT_MISSING": ["commands"]}, "the transcript that it was imported from"),
    ],
)
def test_that_no_command_was_seen_means_little_where_none_could_be(
    more: dict[str, object], why: str
) -> None:
    fact = of(root(**more))["did", "commands"]

    assert fact.state is State.MISSING
    assert fact.note.startswith(why)


def test_without_snapshots_it_is_not_known_what_changed() -> None:
    found = of(root(TREE_START=None, SNAPSHOT_PROBLEM=["git is not installed"]))

    for key in (("did", "edits"), ("human", "changes by hand"), ("ended", "final diff")):
        assert found[key].state is State.MISSING
        assert found[key].note == "the workspace was not recorded: git is not installed"


def test_a_change_by_hand_is_a_persons_and_no_edit_of_the_agents() -> None:
    found = of(root(by_hand(), by_hand("background")))

    assert found["human", "changes by hand"].count == 1
    assert found["did", "edits"].count == 0


def test_what_the_agent_ran_for_itself_is_not_what_it_did() -> None:
    found = of(root(), command("k1", parent="a" * 16, COMMAND_FOR="agent", PROCESS_EXIT_CODE=0))

    assert found["did", "commands"].count == 0


def test_a_test_run_before_the_last_change_says_so() -> None:
    found = of(
        root(),
        command("k1", PROCESS_EXIT_CODE=0),
        suite("r1", "success", "one", end=4),
        tool("t2", changed(), end=9),
    )

    assert found["ended", "test status"].note == "success, before the last change"


def test_of_commands_whose_end_was_not_seen_there_is_a_note() -> None:
    found = of(root(), command("k1", PROCESS_EXIT_CODE=0), command("k2", COMMAND_STATE="cut"))

    fact = found["environment", "exit codes"]
    assert (fact.count, fact.note) == (1, "of 1 commands it is not known how they ended")


def test_a_command_to_the_agent_is_no_interruption_and_a_prompt_counts_once() -> None:
    queued = Event(QUEUED, 1, {"content": "Fix it."})
    found = of(root(queued, PROMPT, Event(SLASH_COMMAND, 2, {"content": "/exit"})))

    assert found["human", "interruptions"].state is State.NONE
    assert found["human", "commands to the agent"].count == 1
    fact = found["human", "prompts"]
    assert (fact.count, fact.note) == (1, "1 were typed while the agent was at work")


def test_of_a_recording_that_was_killed_the_end_is_missing() -> None:
    found = of(root())

    for name in ("exit code", "final diff"):
        fact = found["ended", name]
        assert (fact.state, fact.note) == (
            State.MISSING,
            "the end of the session was not recorded",
        )


def test_a_session_that_changed_nothing_has_a_final_diff_all_the_same() -> None:
    fact = of(root(TREE_END="1" * 40))["ended", "final diff"]

    assert (fact.count, fact.note) == (1, "nothing was changed")


def test_what_a_transcript_tells_is_there_and_what_it_never_tells_is_missing() -> None:
    lacks = ["command_streams", "workspace", "agent_exit_code", "results_as_sent"]
    found = of(
        root(IMPORT_MISSING=lacks, ORIGIN="imported", WORKSPACE_DIFF="diff", TREE_START=None),
        command("k1", PROCESS_EXIT_CODE=0, COMMAND_OUTPUT="", EVIDENCE="inferred"),
    )

    assert found["ended", "final diff"].count == 1
    assert found["did", "commands"].note == "1 of them inferred from what was told of calls"
    none = {key for key, fact in found.items() if fact.state is State.NONE}
    assert none >= {("in", "context read"), ("environment", "tool results")}
    why = {
        ("ended", "exit code"): "the transcript that it was imported from does not tell",
        ("environment", "test results"): "test runs are not read out of a transcript",
        ("ended", "test status"): "test runs are not read out of a transcript",
    }
    assert {key: found[key].note for key in why} == why
