"""Whose a change is, played step by step in real folders."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.workspace import Observed, Project, events, paths, read, settle
from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest, CallResult, MessageNote, ToolRequest, ToolResult
from traceproof.recorder.session import Session
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.span import Span, new_span_id
from traceproof.recorder.workspace import snapshots
from traceproof.recorder.workspace.lookout import Place
from traceproof.recorder.workspace.watch import Watcher
from traceproof.workspaces import Workspaces


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.write("a.py", "a = 1\n")
    project.write("b.py", "b = 1\n")
    project.commit()
    return project


def told(span: Span) -> list[tuple[str, list[str]]]:
    """Return how each change of a span is known, and of which paths."""
    found = []
    for event in events(span):
        how = event.attributes.get(semconv.EXTERNAL_CHANGE_ACTOR)
        found.append((str(how or event.attributes[semconv.SNAPSHOT_BY]), paths(event)))
    return found


def command(observed: Observed, parent: str) -> tuple[Span, SimpleNamespace]:
    span = Span(observed.root.trace_id, new_span_id(), "bash", parent_id=parent)
    settle()
    observed.steps.command_started(span, SimpleNamespace(started=time.time_ns()))
    return span, SimpleNamespace(ended=0)


def ended(observed: Observed, span: Span, end: SimpleNamespace) -> None:
    settle()
    end.ended = time.time_ns()
    observed.steps.command_ended(span, end)
    span.end = end.ended
    observed.ended.append(span)
    observed.write_commands()


def test_a_tool_call_is_told_what_it_changed(project: Project) -> None:
    observed = Observed(project)
    tool = observed.step(lambda: project.write("a.py", "a = 2\n"))
    idle = observed.step(lambda: None)
    path = observed.close()

    (event,) = events(tool.span)
    assert event.name == semconv.SNAPSHOT_EVENT
    assert told(tool.span) == [("window", ["M a.py"])]
    assert event.attributes[semconv.TREE_BEFORE] == observed.root.attributes[semconv.TREE_START]
    assert not events(idle.span)
    assert idle.span.attributes[semconv.TREE_AFTER] == event.attributes[semconv.TREE_AFTER]
    with read(path) as reader:
        (span,) = [s for s in reader.spans(inline=True) if s.span_id == tool.span.span_id]
        root = reader.inline(reader.root().span)
    diff = span.events[0].attributes[semconv.SNAPSHOT_DIFF]
    assert "-a = 1\n+a = 2\n" in str(diff)
    assert root.attributes[semconv.WORKSPACE_DIFF] == diff


def test_what_a_person_edits_meanwhile_is_not_the_agents(project: Project) -> None:
    observed = Observed(project)
    observed.step(lambda: project.write("new.py"))
    observed.answers()
    project.write("b.py", "b = 'mine'\n")
    observed.asks(prompt="I changed b.py")
    observed.close()

    assert told(observed.root)[1:] == [("human", ["M b.py"])]


def test_what_changes_while_the_model_answers_is_not_the_tools(project: Project) -> None:
    observed = Observed(project)
    observed.asks()
    project.write("b.py", "b = 'while it streams'\n")
    settle()
    tool = observed.call()
    observed.answers(tool)
    settle()
    project.write("a.py", "a = 2\n")
    observed.ends(tool)
    observed.close()

    assert told(observed.root)[1:] == [("unknown", ["M b.py"])]
    assert told(tool.span) == [("window", ["M a.py"])]


def test_the_same_even_where_both_are_seen_in_one_look(project: Project) -> None:
    observed = Observed(project)
    observed.steps._affordable = lambda: False  # type: ignore[method-assign]
    project.write("b.py", "b = 'while it streams'\n")
    settle()
    tool = observed.call()
    observed.answers(tool)
    settle()
    project.write("a.py", "a = 2\n")
    observed.ends(tool)
    observed.close()

    assert told(observed.root)[1:] == [("unknown", ["M b.py"])]
    assert told(tool.span) == [("window", ["M a.py"])]


def test_commands_are_told_apart_by_when_they_ran(project: Project) -> None:
    observed = Observed(project)
    first, second = observed.call(), observed.call()
    observed.answers(first, second)
    one = command(observed, first.span.span_id)
    project.write("one")
    ended(observed, *one)
    two = command(observed, second.span.span_id)
    project.write("two")
    ended(observed, *two)
    observed.ends(first, second)
    path = observed.close()

    assert told(one[0]) == [("command", ["A one"])]
    assert told(two[0]) == [("command", ["A two"])]
    assert not events(first.span)
    with read(path) as reader:
        assert [step.cause for step in Workspaces(reader).steps] == ["start", "command", "command"]


def test_the_moments_on_the_disk_decide_where_no_look_was_taken_between(project: Project) -> None:
    observed = Observed(project)
    first, second = observed.call(), observed.call()
    observed.answers(first, second)
    observed.steps._affordable = lambda: False  # type: ignore[method-assign]
    one, two = command(observed, first.span.span_id), None
    project.write("one")
    settle()
    end = time.time_ns()
    two = command(observed, second.span.span_id)
    project.write("two")
    observed.steps._commands[one[0].span_id].ended = end
    observed.ends(first, second)
    observed.close()

    assert [paths(e) for e in observed.steps._events[one[0].span_id]] == [["A one"]]
    assert [paths(e) for e in observed.steps._events[two[0].span_id]] == [["A two"]]


def test_calls_at_once_that_name_their_files(project: Project) -> None:
    observed = Observed(project)
    here = str(project.folder)
    edit = observed.call("Edit", {"file_path": f"{here}/a.py", "old_string": "1"})
    patch = "*** Begin Patch\n*** Update File: b.py\n@@\n-b\n+c\n*** End Patch"
    other = observed.call("apply_patch", {"input": patch})
    observed.answers(edit, other)
    project.write("a.py", "a = 2\n")
    project.write("b.py", "b = 2\n")
    observed.ends(edit, other)
    observed.close()

    assert told(edit.span) == [("path", ["M a.py"])]
    assert told(other.span) == [("path", ["M b.py"])]


def test_calls_at_once_that_say_nothing_share(project: Project) -> None:
    observed = Observed(project)
    tools = [observed.call("mcp__x"), observed.call("mcp__y"), observed.call("Read")]
    observed.answers(*tools)
    settle()
    project.write("a.py", "a = 2\n")
    observed.ends(*tools)
    observed.close()

    (event,) = events(tools[0].span)
    assert event.attributes[semconv.SNAPSHOT_SHARED_WITH] == [tools[1].span.span_id]
    assert not events(tools[1].span)
    assert not events(tools[2].span)


def test_a_tool_that_only_reads_changed_nothing(project: Project) -> None:
    observed = Observed(project)
    tool = observed.step(lambda: project.write("a.py", "a = 2\n"), "Read")
    observed.close()

    assert not events(tool.span)
    assert told(observed.root)[1:] == [("unknown", ["M a.py"])]


def test_what_a_command_left_behind_does_is_of_the_background(project: Project) -> None:
    observed = Observed(project)
    tool = observed.call()
    observed.answers(tool)
    span, end = command(observed, tool.span.span_id)
    end.ended = time.time_ns()
    observed.steps.command_going(span, end)
    observed.ends(tool)
    settle()
    project.write("server.log", "started\n")
    observed.asks()
    ended(observed, span, end)
    observed.close()

    assert told(observed.root)[1:] == [("background", ["A server.log"])]


def test_nothing_is_looked_at_while_recording_is_paused(project: Project) -> None:
    consents = [True]
    observed = Observed(project, consents=lambda _since: consents[0])
    consents[0] = False
    tool = observed.step(lambda: project.write("private"))
    consents[0] = True
    observed.asks()
    observed.close()

    assert not events(tool.span)
    (event,) = events(observed.root)[1:]
    assert (event.name, event.attributes[semconv.SNAPSHOT_PAUSED]) == (
        semconv.EXTERNAL_CHANGE_EVENT,
        True,
    )


def test_a_pause_that_was_over_before_the_next_look_is_told(project: Project) -> None:
    paused = [0]
    observed = Observed(project, consents=lambda since: since > paused[0])
    project.write("private")
    paused[0] = time.time_ns()
    observed.asks()
    tool = observed.step(lambda: project.write("mine"))
    observed.asks()
    observed.close()

    (event,) = events(observed.root)[1:]
    assert (paths(event), event.attributes[semconv.SNAPSHOT_PAUSED]) == (["A private"], True)
    (event,) = events(tool.span)
    assert semconv.SNAPSHOT_PAUSED not in event.attributes


def test_a_retry_of_an_answer_leaves_no_call_open(project: Project) -> None:
    observed = Observed(project)
    lost, again = observed.call(), observed.call()
    observed.answers(lost)
    observed.steps.tool_ended(lost)
    observed.step(lambda: None)
    observed.answers(again)
    settle()
    project.write("c")
    observed.ends(again)
    observed.close()

    assert not events(lost.span)
    assert told(again.span) == [("window", ["A c"])]


def test_a_workspace_that_goes_away_and_comes_back(project: Project) -> None:
    observed = Observed(project)
    away = project.folder.with_name("away")
    gone = observed.step(lambda: project.folder.rename(away))
    assert not events(gone.span)
    back = observed.step(lambda: (away.rename(project.folder), project.write("c")))
    observed.close()

    assert told(back.span) == [("window", ["A c"])]
    problems = observed.root.attributes[semconv.SNAPSHOT_PROBLEM]
    assert problems == ["no snapshot: No such file or directory"]


def test_no_home_is_taken_for_a_project(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", repository=False)
    project.environment["HOME"] = str(project.folder)
    project.write("secret")
    observed = Observed(project)
    tool = observed.step(lambda: project.write("more"))
    path = observed.close()

    assert "secret" not in observed.path.read_bytes().decode(errors="replace")
    assert semconv.TREE_AFTER not in tool.span.attributes
    with read(path) as reader, pytest.raises(ValueError, match="but a home or what homes are in"):
        Workspaces(reader)


def test_it_does_without_git(project: Project) -> None:
    project.environment["PATH"] = str(project.home)
    observed = Observed(project)
    tool = observed.step(lambda: project.write("a.py", "a = 2\n"))
    path = observed.close()

    (event,) = events(tool.span)
    assert semconv.REF + semconv.SNAPSHOT_DIFF not in event.attributes
    assert observed.root.attributes[semconv.SNAPSHOT_PROBLEM] == [
        "the commit is not known: git is not installed",
        "no diff of some changes: git is not installed",
    ]
    with read(path) as reader:
        assert [len(step.paths) for step in Workspaces(reader).steps] == [2, 1]


@pytest.mark.parametrize("large", [True, False])
def test_a_folder_in_the_place_of_another(
    project: Project, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(snapshots, "WORTHWHILE", 0)
    for name in ("one/in/deep/a", "one/in/deep/same", "two/in/deep/a", "two/in/deep/b"):
        project.write(name, name)
    settle()
    observed = Observed(project)
    settle()
    tool = observed.step(
        lambda: (
            (project.folder / "one").rename(project.folder.parent / "away"),
            (project.folder / "two").rename(project.folder / "one"),
        )
    )
    observed.close()

    assert tool.span.attributes[semconv.TREE_AFTER] == project.tree()
    assert told(tool.span) == [
        (
            "window",
            ["M one/in/deep/a", "A one/in/deep/b", "D one/in/deep/same", "D two/in/deep/a",
             "D two/in/deep/b"],
        )
    ]  # fmt: skip


def test_what_a_killed_recorder_had_written_can_be_rebuilt(
    project: Project, tmp_path: Path
) -> None:
    observed = Observed(project)
    observed.step(lambda: project.write("a.py", "a = 2\n"))
    tree = project.tree()
    observed.writer.flush()

    with read(observed.path) as reader:
        workspaces = Workspaces(reader)
        assert [step.number for step in workspaces.steps] == [0, 1]
        assert workspaces.step(None).tree_after == tree
    assert list((tmp_path / "store" / "workspaces").glob("workspace-*"))
    observed.close()
    assert not (tmp_path / "store" / "workspaces").exists()


def test_an_agents_own_command_does_not_take_what_a_call_of_the_coming_answer_does(
    project: Project,
) -> None:
    observed = Observed(project)
    observed.asks()
    own = command(observed, observed.root.span_id)
    settle()
    project.write("a.py", "a = 2\n")  # by the call, which the recorder hears of only later
    ended(observed, *own)
    edit = observed.call("apply_patch", {"input": "*** Update File: a.py\n"})
    observed.answers(edit)
    observed.ends(edit)
    observed.close()

    assert told(edit.span) == [("path", ["M a.py"])]
    assert not events(own[0])


def test_what_an_agents_own_command_does_is_on_record(project: Project) -> None:
    observed = Observed(project)
    observed.answers()
    own = command(observed, observed.root.span_id)
    project.write("cache", "x\n")
    ended(observed, *own)
    observed.asks()
    late = command(observed, observed.root.span_id)
    project.write("later", "x\n")
    ended(observed, *late)
    observed.answers()
    observed.asks()
    observed.close()

    assert told(own[0]) == [("command", ["A cache"])]
    assert told(late[0]) == [("command", ["A later"])]


def test_a_look_that_is_too_dear_just_now_takes_no_change_from_its_command(
    project: Project,
) -> None:
    observed = Observed(project)
    observed.steps._affordable = lambda: False  # type: ignore[method-assign]
    tool = observed.call()
    observed.answers(tool)
    first = command(observed, tool.span.span_id)
    project.write("new/one")
    ended(observed, *first)
    assert observed.ended == [first[0]]
    second = command(observed, tool.span.span_id)
    project.write("new/two")
    ended(observed, *second)
    observed.ends(tool)
    path = observed.close()

    assert told(first[0]) == [("command", ["A new/one"])]
    assert told(second[0]) == [("command", ["A new/two"])]
    assert not events(tool.span)
    with read(path) as reader:
        assert [step.cause for step in Workspaces(reader).steps] == ["start", "command", "command"]


@pytest.mark.parametrize("dear", [True, False])
def test_a_command_that_is_over_before_the_answer_that_asked_for_it(
    project: Project, dear: bool
) -> None:
    observed = Observed(project)
    if dear:
        observed.steps._affordable = lambda: False  # type: ignore[method-assign]
    early = command(observed, observed.root.span_id)
    project.write("one")
    ended(observed, *early)
    tool = observed.call()
    early[0].parent_id = tool.span.span_id
    observed.answers(tool)
    observed.ends(tool)
    observed.close()

    assert told(early[0]) == [("command", ["A one"])]
    assert not events(tool.span)
    assert not told(observed.root)[1:]


@pytest.mark.parametrize("dear", [True, False])
@pytest.mark.parametrize("early", [True, False])
def test_in_a_session_a_command_is_credited_whenever_it_runs_and_the_looks_are(
    project: Project, dear: bool, early: bool
) -> None:
    observed = Observed(project)
    place = Place(project.folder, project.environment, observed.store)
    watcher = Watcher(place, observed.writer)
    if dear:
        watcher._affordable = lambda: False  # type: ignore[method-assign]
    root = Span(observed.root.trace_id, new_span_id(), "invoke_agent test", start=time.time_ns())
    session = Session(observed.writer, root, steps=watcher)
    tool = ToolRequest("t1", "bash", '{"command":"touch one"}')

    call = session.open_call(CallRequest(time.time_ns(), "m", {}, []))
    if not early:
        session.close_call(call, CallResult(time.time_ns(), "complete", {}, [tool]))
    words = ("bash", "-c", "touch one")
    opened = session.command_started(
        CommandStart("shell", "/bin/bash", words, str(project.folder), 7, time.time_ns())
    )
    project.write("one")
    settle()
    session.command_ended(opened, CommandEnd(time.time_ns(), 0))
    settle()
    if early:
        session.close_call(call, CallResult(time.time_ns(), "complete", {}, [tool]))
    result = ToolResult("t1", "done", None)
    session.open_call(CallRequest(time.time_ns(), "m", {}, [answered_by(result)]))
    session.close(time.time_ns())
    assert observed.writer.close()

    with read(observed.path) as reader:
        spans = {span.name: span for span in reader.spans(inline=True)}
    assert told(spans["bash"]) == [("command", ["A one"])]
    assert spans["bash"].parent_id == spans["execute_tool bash"].span_id
    assert spans["bash"].attributes[semconv.TREE_AFTER] == project.tree()
    assert not events(spans["execute_tool bash"])


def answered_by(result: ToolResult) -> MessageNote:
    return MessageNote("1" * 64, "tool", (result.call_id,), read_results=lambda: [result])
