from __future__ import annotations

from support.steps import Recorded
from traceproof.recorder.workspace.tree import PROGRAM
from traceproof.replay.steps.facts import Change
from traceproof.replay.steps.report import Report


def statuses(report: Report) -> list[str]:
    return [step.status for step in report.steps]


def test_what_comes_out_as_recorded_is_the_same() -> None:
    recorded = Recorded()
    made: dict[str, str | None] = {"c.txt": "x\n", "sub/b.txt": None}
    recorded.ran("cat a.txt; echo x > c.txt; rm sub/b.txt", "one\n", changed=made)
    recorded.changed({"a.txt": "three\n"}, owners=("t",), name="Edit")
    recorded.changed({"h.txt": "by hand\n"})
    recorded.ran("cat a.txt h.txt; exit 3", "three\nby hand\n", code=3)

    report = recorded.replay()

    assert [(step.kind, step.status) for step in report.steps] == [
        ("command", "same"), ("edit", "same"), ("external", "same"), ("command", "same"),
    ]  # fmt: skip
    assert (report.answer, report.share, report.first) == ("same", 0.0, None)
    assert all(step.tree_recorded == step.tree_replayed for step in report.steps)
    assert report.steps[2].name == "from outside (human): h.txt"


def test_streams_apart_are_compared_apart() -> None:
    recorded = Recorded()
    recorded.ran("echo a; echo b >&2", outputs={"stdout": "a\n", "stderr": "b\n"})
    recorded.ran("echo a; echo b >&2", outputs={"stdout": "a\n", "stderr": "c\n"})

    report = recorded.replay()

    assert statuses(report) == ["same", "differs"]
    assert report.steps[1].why == "stderr, line 1"


def test_another_exit_code_is_found_at_its_step() -> None:
    recorded = Recorded()
    recorded.ran("true")
    recorded.ran("exit 2", code=1)
    recorded.ran("true")

    report = recorded.replay()

    assert statuses(report) == ["same", "differs", "same"]
    assert (report.first, report.answer) == (2, "differs")
    assert report.steps[1].why == "it ended with 2, recorded was 1"


def test_another_byte_of_output_is_found_at_its_step() -> None:
    recorded = Recorded()
    recorded.ran("cat a.txt", "onE\n")
    recorded.ran("cat a.txt", "one\n")

    report = recorded.replay()

    assert statuses(report) == ["differs", "same"]
    (line,) = report.steps[0].lines
    assert (line.stream, line.number, line.recorded, line.replayed) == ("output", 1, "onE", "one")


def test_another_file_is_found_at_its_step_and_put_right_for_the_next() -> None:
    recorded = Recorded()
    recorded.ran("echo new > a.txt", changed={"a.txt": "nEw\n"})
    recorded.ran("cat a.txt", "nEw\n")

    report = recorded.replay()

    assert statuses(report) == ["differs", "same"]
    (path,) = report.steps[0].paths
    assert (path.path, path.what) == ("a.txt", "content")
    assert report.steps[0].why == "the workspace: a.txt (content)"


def test_files_missing_and_extra_and_of_another_mode_are_told() -> None:
    recorded = Recorded()
    command = recorded.ran("echo > extra; mv sub/b.txt c")
    rows = ((b"missing", recorded.leaf("m")), (b"a.txt", recorded.leaf("one\n", PROGRAM)))
    recorded.changes.append(Change(number=1, owners=(command.span_id,), rows=rows))

    report = recorded.replay()

    assert {path.path: path.what for path in report.steps[0].paths} == {
        "a.txt": "mode", "c": "extra", "extra": "extra", "missing": "missing",
        "sub/b.txt": "missing",
    }  # fmt: skip


def test_the_shells_own_process_id_and_times_are_normalised() -> None:
    recorded = Recorded()
    recorded.ran("echo $$; date", "4711\nFri Nov 20 21:45:02 UTC 2026\n", pids=frozenset({4711}))
    recorded.ran("cat a.txt sub/b.txt; echo " + "x" * 80, "one\ntwo\n" + "x" * 80 + "\n")

    report = recorded.replay()

    assert statuses(report) == ["normalised", "same"]
    assert [use.rule for use in report.steps[0].rules] == ["pid", "time"]
    assert report.answer == "normalised"


def test_a_replay_of_which_nothing_is_left_is_none() -> None:
    recorded = Recorded()
    recorded.ran("date", "Fri Nov 20 21:45:02 UTC 2026\n")

    report = recorded.replay()

    assert statuses(report) == ["normalised"]
    assert report.answer == "differs"
    assert "normalised away" in report.reason


def test_what_needs_a_network_is_skipped_its_changes_are_kept_and_dependants_say_so() -> None:
    recorded = Recorded()
    recorded.ran("curl -o page https://example.org", changed={"page": "hello\n"})
    recorded.ran("cat page", "hello\n")
    recorded.ran("cat ../elsewhere", "hello\n")

    report = recorded.replay()

    assert statuses(report) == ["skipped", "same", "differs"]
    assert "curl" in report.steps[0].why
    assert report.steps[2].after == [1]


def test_a_network_may_be_allowed() -> None:
    recorded = Recorded()
    recorded.ran("curl --fail http://127.0.0.1:9 2>/dev/null || echo no", "no\n")

    assert statuses(recorded.replay(network=True)) == ["same"]


def test_what_tools_keep_for_themselves_may_differ() -> None:
    recorded = Recorded()
    recorded.ran(
        "mkdir __pycache__; echo 2 > __pycache__/a.pyc; echo 3 > .aider.x",
        changed={"__pycache__/a.pyc": "1\n", ".aider.x": "4\n"},
    )

    report = recorded.replay()

    assert statuses(report) == ["normalised"]
    assert {use.rule for use in report.steps[0].rules} == {"caches", "agent's files"}


def test_a_masked_file_is_not_compared() -> None:
    recorded = Recorded()
    command = recorded.ran("echo real > key")
    recorded.changed({"key": "<SECRET:KEY>\n"}, owners=(command.span_id,), masked=("key",))

    report = recorded.replay()

    assert [use.rule for use in report.steps[0].rules] == ["masked"]


def test_what_git_ignores_is_not_looked_at() -> None:
    recorded = Recorded({".gitignore": "*.log\nout/\n", "sub/.gitignore": "!keep.log\n"})
    recorded.ran(
        "mkdir out; echo > out/x; echo > y.log; echo > sub/keep.log", changed={"sub/keep.log": "\n"}
    )
    recorded.ran("echo > .gitignore", changed={".gitignore": "\n", "y.log": "\n", "out/x": "\n"})

    assert statuses(recorded.replay()) == ["same", "same"]


def test_what_was_not_recorded_is_said_and_the_rest_compared() -> None:
    recorded = Recorded()
    recorded.ran("echo x", outputs={})
    recorded.ran("echo x", "y", lost=7)
    recorded.ran("exit 4", exit_code=None)

    report = recorded.replay()

    assert statuses(report) == ["same"] * 3
    assert [step.notes for step in report.steps] == [
        ["its output was not recorded"],
        ["7 bytes of its output were not recorded: not compared"],
        ["how it ended is not in the trace"],
    ]


def test_a_folder_or_a_shell_that_the_box_does_not_have() -> None:
    recorded = Recorded()
    recorded.ran("true", folder="/no/such/place")
    recorded.ran("true", shell="/bin/nosuchshell")

    report = recorded.replay()

    assert [step.why for step in report.steps] == [
        "its folder /no/such/place is not in the box", "/bin/nosuchshell is not in the box",
    ]  # fmt: skip
    assert report.answer == "nothing"


def test_signals_are_told_as_a_shell_tells_them() -> None:
    recorded = Recorded()
    recorded.ran("kill -SEGV $$", exit_code=None, signal="SIGSEGV")

    assert statuses(recorded.replay()) == ["same"]


def test_commands_at_the_same_time_share_their_changes() -> None:
    recorded = Recorded()
    first = recorded.ran("echo 1 > one", ended=99 * 10**9)
    second = recorded.ran("echo 2 > two", ended=99 * 10**9)
    recorded.changed({"one": "1\n", "two": "2\n"}, owners=(first.span_id, second.span_id))

    report = recorded.replay()

    assert statuses(report) == ["same", "same"]
    assert "what it changed is compared with a later step's" in report.steps[0].notes
    assert any("at the same time as step 1" in note for note in report.steps[1].notes)


def test_links_and_programs_are_put_there() -> None:
    recorded = Recorded()
    program, link = (
        recorded.leaf("#!/bin/sh\necho ran\n", PROGRAM),
        recorded.leaf("a.txt", "120000"),
    )
    rows = ((b"run", program), (b"link", link))
    recorded.changes.append(Change(number=1, owners=("t",), name="Edit", time=1, rows=rows))
    recorded.ran("./run; readlink link", "ran\na.txt\n")

    assert statuses(recorded.replay()) == ["same", "same"]
