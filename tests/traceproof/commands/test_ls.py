from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.store import SUFFIX, Store
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]


@pytest.mark.usefixtures("trace")
def test_in_a_pipe_a_trace_is_a_line_of_tabs(here: Here) -> None:
    code, out, err = here("ls")

    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    started, agent, _, turns, tokens_in, tokens_out, exit_code, trace_id = line.split("\t")
    assert started.startswith("20")
    assert (turns, tokens_in, tokens_out, exit_code) == ("5", "8,403", "148", "0")
    assert agent.startswith("traceproof.demo")
    assert trace_id == "0123abcd"


def test_as_json_it_says_all_it_knows(here: Here, trace: Path) -> None:
    (row,) = here("ls", "--json").json

    assert row["path"] == str(trace)
    assert (row["turns"], row["calls"], row["tool_calls"]) == (5, 5, 5)
    assert (row["exit_code"], row["closed"], row["pending"], row["problems"]) == (
        0,
        True,
        False,
        [],
    )


def test_the_newest_is_last(here: Here, trace: Path) -> None:
    older = trace.with_name(f"20250102T030405Z-demo-9999abcd{SUFFIX}")
    shutil.copy(trace, older)

    assert [line.rpartition("\t")[2] for line in here("ls").out.splitlines()] == [
        "9999abcd",
        "0123abcd",
    ]


def test_what_cannot_be_read_does_not_hide_the_rest(here: Here, trace: Path) -> None:
    broken = trace.with_name(f"20270102T030405Z-demo-broken{SUFFIX}")
    broken.write_text("nonsense")

    code, out, err = here("ls")

    assert (code, err) == (0, "")
    good, bad = out.splitlines()
    assert good.endswith("0123abcd")
    assert bad.endswith(f"{broken} is not a trace file: it is not zstd data")


def test_one_that_was_not_closed_says_what_to_do(here: Here, cut_trace: Path) -> None:
    (line,) = here("ls").out.splitlines()

    assert line.endswith("not closed: still running, or `traceproof repair` ends it")
    assert here("ls", "--json").json[0]["path"] == str(cut_trace)


def test_brackets_in_names_are_no_markup(here: Here, trace: Path) -> None:
    odd = trace.with_name(f"20270102T030405Z-demo-[bold]:smile:[x]{SUFFIX}")
    odd.write_text("nonsense")

    assert f"{odd} is not a trace file" in here("ls").out
    assert here("repair", "0123").out == f"{trace}: closed properly, nothing to repair\n"


def test_names_of_others_neither_move_the_cursor_nor_make_rows(here: Here, project: Path) -> None:
    store = Store(project / ".traceproof")
    store.create()
    name = f"20260102T030405Z-x-\x1b]0;title\x07\udcff\tid\n0{SUFFIX}"
    writer = TraceWriter(store.traces_path / name, resource={semconv.SOURCE: "recorder"})
    attributes: Attributes = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: "a\x1b[2J\n\tb",
    }
    writer.span(Span("1" * 32, "a" * 16, "invoke_agent x", start=1, attributes=attributes))
    writer.close()

    (line,) = here("ls").out.splitlines()

    assert line.split("\t")[1] == "a\ufffd[2J b"
    assert line.split("\t")[7] == "\ufffd]0;title\ufffd? id 0"


@pytest.mark.usefixtures("trace")
def test_the_store_may_be_named(here: Here, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = here("ls").out
    monkeypatch.chdir("/")

    assert here("ls", "--store", project / ".traceproof").out == listed
    monkeypatch.setenv("TRACEPROOF_STORE", str(project / ".traceproof"))
    assert here("ls").out == listed


@pytest.mark.usefixtures("trace")
def test_the_store_is_found_from_a_folder_within_the_project(
    here: Here, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(project / "a" / "b")

    assert here("ls").out.endswith("0123abcd\n")
