from __future__ import annotations

from support.session_spans import by_hand, changed, chat, command, root, suite, tool
from traceproof.evidence import Evidence
from traceproof.recorder.span import Span
from traceproof.spantree import SpanTree


def evidence(*spans: Span) -> Evidence:
    tree = SpanTree(spans)
    assert tree.root
    return Evidence(tree, tree.root)


def ids(spans: list[Span]) -> list[str]:
    return [span.span_id for span in spans]


def test_spans_are_chosen_by_what_they_are() -> None:
    found = evidence(
        root(),
        chat("c1"),
        chat("c2", CALL_PURPOSE="title"),
        tool("t1", name="read_file"),
        tool("t2", name="WebSearch"),
        tool("t3", name="ExitPlanMode"),
        command("k1"),
        command("k2", COMMAND_FOR="agent"),
        suite("r1", "success"),
    )

    assert ids(found.chats) == ["c1", "c2"]
    assert ids(found.turns) == ["c1"]
    assert ids(found.readers) == ["t1", "t2"]
    assert ids(found.plans) == ["t3"]
    assert ids(found.commands) == ["k1"]
    assert ids(found.test_runs) == ["r1"]


def test_a_part_of_a_tool_call_is_no_call_of_the_models() -> None:
    part = tool("m1", name="search")
    part.links = []

    assert evidence(root(), tool("t1"), part).tools == [tool("t1")]


def test_a_snapshot_in_which_nothing_changed_is_no_edit() -> None:
    found = evidence(root(changed()), tool("t1", changed(0)), tool("t2", changed(2)))

    assert ids(found.edits) == ["t2"]


def test_the_last_test_run_is_the_one_that_ended_last() -> None:
    found = evidence(root(), suite("r1", "failure", end=8), suite("r2", "success", end=5))

    assert found.last_test_run == suite("r1", "failure", end=8)


def test_failures_are_runs_commands_and_calls() -> None:
    found = evidence(
        root(),
        tool("t1", TOOL_IS_ERROR=True),
        command("k1", ERROR_TYPE="1"),
        command("k2"),
        suite("r1", "timed_out"),
        suite("r2", "success"),
    )

    assert ids(found.failures) == ["r1", "k1", "t1"]


def test_external_changes_come_with_their_span() -> None:
    found = evidence(root(by_hand("background")))

    assert [(span.span_id, found.actor(event)) for span, event in found.external_changes] == [
        ("a" * 16, "background")
    ]


def test_content_that_is_in_a_blob_is_there() -> None:
    held = chat("c1")
    held.attributes["traceproof.ref.gen_ai.input.messages"] = "list:" + "0" * 64

    assert evidence(root(), held).holds(held, "gen_ai.input.messages")


def test_a_run_of_very_many_cases_is_one_run_with_all_its_cases() -> None:
    run, part = suite("r1", "success", "a", "b"), suite("r2", "success", "c", parent="r1")
    run.attributes |= {"traceproof.test.count.passed": 2, "traceproof.test.count.skipped": 1}
    part.attributes["traceproof.test.part"] = 1

    found = evidence(root(), run, part)

    assert found.test_runs == [run]
    assert found.case_count(run) == 3
