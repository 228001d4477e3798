from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import transcripts
from support.transcripts import SESSION, Claude, Codex, bash
from traceproof.recorder.store import Store

Done = Any


def claude(folder: Path, name: str = SESSION) -> Path:
    session = Claude()
    session.says("Do it.")
    session.answers("So.", bash("t1", "ls"))
    session.hears("t1", "a.py", result={"stdout": "a.py"})
    return transcripts.lines(folder / f"{name}.jsonl", session.records)


def codex(folder: Path) -> Path:
    session = Codex()
    session.says("Do it.")
    session.answers("Done.")
    return transcripts.lines(folder / "rollout-1.jsonl", session.records)


def traces(project: Path) -> list[Path]:
    return Store(project / ".traceproof").paths()


def test_a_transcript_becomes_a_trace_that_can_be_shown(
    here: Callable[..., Done], project: Path
) -> None:
    done = here("import", claude(project))

    (path,) = traces(project)
    told, lacking = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert told.endswith(f"claude-code, 1 prompts, 1 model calls, 1 tool calls → {path.name}")
    assert lacking.startswith("  not in it: agent_exit_code, ")
    shown = here("show").out
    assert "Do it." in shown
    assert "Bash" in shown


def test_again_it_says_which_trace_it_is(here: Callable[..., Done], project: Path) -> None:
    file = claude(project)
    here("import", file)
    (path,) = traces(project)

    done = here("import", file)

    assert done.code == 0
    assert f"imported before, as {path.name} (--again imports it anew)" in done.out
    assert here("import", "--again", file).code == 0
    assert len(traces(project)) == 2


def test_several_at_once_with_a_summary(here: Callable[..., Done], project: Path) -> None:
    done = here("import", "--json", claude(project), codex(project))

    assert [(each["source"], each["calls"]) for each in done.json] == [
        ("claude-code", 1),
        ("codex", 1),
    ]
    assert {each["trace"] for each in done.json} == {str(path) for path in traces(project)}
    assert all("exact_bytes" in each["missing"] for each in done.json)


def test_a_wrong_file_is_named_and_the_others_are_imported(
    here: Callable[..., Done], project: Path
) -> None:
    wrong = project / "notes.txt"
    wrong.write_text("Nothing.\n")

    done = here("import", wrong, claude(project), project / "gone.jsonl")

    assert done.code == 2
    first, second = done.err.splitlines()
    assert first.startswith(f"traceproof: {wrong}: not a transcript of codex, claude-code, ")
    assert second == f"traceproof: {project / 'gone.jsonl'}: No such file or directory"
    assert len(traces(project)) == 1


def test_one_wrong_file_is_one_clear_line(here: Callable[..., Done], project: Path) -> None:
    for path in (project / "gone.jsonl", project):
        done = here("import", path)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    done = here("import", claude(project), "--source", "cobol")
    assert (done.code, "--source is one of codex" in done.err) == (2, True)


def test_what_is_no_file_is_named_and_the_others_are_imported(
    here: Callable[..., Done], project: Path
) -> None:
    loop, folder, pipe = project / "loop.jsonl", project / "a", project / "agent-x.jsonl"
    loop.symlink_to(loop)
    folder.mkdir()
    os.mkfifo(pipe)

    done = here("import", loop, folder, pipe, claude(project))

    first, second, third = done.err.splitlines()
    assert first == f"traceproof: {loop}: Too many levels of symbolic links"
    assert second == f"traceproof: {folder}: Is a directory"
    assert third.startswith(f"traceproof: {pipe}: a pipe or a device")
    assert len(traces(project)) == 1


def test_a_sub_agent_s_file_goes_with_its_session(here: Callable[..., Done], project: Path) -> None:
    main = claude(project)
    folder = main.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    sub = Claude(isSidechain=True, agentId="abc")
    sub.says("Part.")
    file = transcripts.lines(folder / "agent-abc.jsonl", sub.records)

    together = here("import", "--json", main, file).json

    assert [each["agents"] for each in together] == [2]
    assert len(traces(project)) == 1
    assert [each["agents"] for each in here("import", "--json", file).json] == [1]


def test_what_is_odd_is_told(here: Callable[..., Done], project: Path) -> None:
    file = claude(project)
    file.write_text(f"{file.read_text()}nonsense\n{json.dumps({'type': 'news'})}\n")

    out = here("import", file).out

    assert "  a line is no JSON object\n  a line of unknown kind 'news'\n" in out
