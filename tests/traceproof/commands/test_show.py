from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.span import Event, Span
from traceproof.recorder.store import Store
from traceproof.recorder.writer import TraceWriter

Here = Callable[..., Any]


@pytest.mark.usefixtures("trace")
def test_in_a_pipe_it_is_a_plain_tree(here: Here) -> None:
    code, out, err = here("show")

    assert (code, err) == (0, "")
    assert "\x1b" not in out
    lines = out.splitlines()
    assert " · exit 0 · main@" in lines[0]
    assert lines[1] == "├── task  repair: merge() never shortens an interval"
    assert lines[2].startswith("├── user  The tests fail.")
    assert "├── turn 1  claude-sonnet-4-5  " in lines[3]
    assert "1,092 in · 17 out  $0.0039" in lines[3]
    assert "│   └── bash  command=python3 -m unittest -q  " in lines[5]
    summed = "5 turns · 5 tool calls · 3 commands · 8,403 in (75% cached) · 148 out · $"
    assert any(line.startswith(summed) for line in lines[-2:])  # not as root, one more follows


@pytest.mark.usefixtures("trace")
def test_in_full_it_has_the_ids_of_spans_and_whole_texts(here: Here) -> None:
    brief, full = here("show"), here("show", "--full")
    turns = [node["span_id"] for node in here("show", "--json").json["root"]["children"][2:]]

    assert full.code == 0
    assert all(span_id in full.out for span_id in turns)
    assert "max(merged[-1][1], end))" in full.out
    assert "max(merged[-1][1], end))" not in brief.out


def test_as_json_it_is_the_same_tree(here: Here, trace: Path) -> None:
    seen = here("show", "--json").json

    assert seen["trace"] == str(trace)
    assert seen["facts"]["process.exit.code"] == 0
    assert seen["totals"]["turns"] == 5
    kinds = [node["kind"] for node in seen["root"]["children"]]
    assert [kind for kind in kinds if kind != "diff"] == ["task", "prompt", *["turn"] * 5]
    system, tools, call = seen["root"]["children"][2]["children"]
    assert system["detail"].startswith("You are a careful engineer.")
    assert tools["title"] == "3: bash, read_file, edit_file"
    assert (call["kind"], call["title"]) == ("tool", "bash")
    assert seen["problems"] == []


@pytest.mark.parametrize(
    "name", ["last", "0123", "0123abcd", "20260102", "20260102T030405Z-demo-0123abcd"]
)
@pytest.mark.usefixtures("trace")
def test_a_trace_answers_to_the_beginnings_of_its_names(here: Here, name: str) -> None:
    assert here("show", name).out == here("show").out


def test_a_trace_answers_to_its_path(
    here: Here, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = here("show").out
    monkeypatch.chdir("/")

    assert here("show", trace).out == shown


@pytest.mark.usefixtures("cut_trace")
def test_what_could_not_be_read_is_told_at_the_foot(here: Here) -> None:
    code, out, err = here("show")

    assert (code, err) == (0, "")
    assert "! the file was not closed: `traceproof repair` ends it\n" in out
    assert here("show", "--json").json["problems"]


def test_a_text_of_any_length_is_shown_so_far_and_no_further(here: Here, project: Path) -> None:
    store = Store(project / ".traceproof")
    store.create()
    writer = TraceWriter(store.new_trace_path(1, "x", "1" * 32), resource={})
    root = Span("1" * 32, "a" * 16, "invoke_agent x", start=1, end=9)
    root.attributes = {semconv.OPERATION_NAME: "invoke_agent"}
    long = writer.text("word " * 300_000)
    root.events = [Event("traceproof.user_prompt", 2, {"traceproof.ref.content": long})]
    writer.span(root)
    writer.close()

    brief, full = here("show"), here("show", "--full")
    (prompt,) = here("show", "--json").json["root"]["children"]

    assert (brief.code, full.code) == (0, 0)
    assert len(brief.out) < 1000
    assert full.out.count("word ") > 200_000
    assert "[the rest is in the trace]" in full.out
    assert (len(prompt["title"]), prompt["cut"]) == (1 << 20, ["title"])
