from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from traceproof.commands.export import Semconv
from traceproof.recorder.conventions import VERSIONS

Done = Any


def test_spans_come_out_on_stdout_one_a_line(trace: Path, here: Callable[..., Done]) -> None:
    done = here("export", trace)

    lines = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert len(lines) == 16
    assert {tuple(line) for line in lines} == {("resourceSpans",)}


def test_the_last_trace_is_meant_where_none_is_named(
    trace: Path, here: Callable[..., Done]
) -> None:
    assert here("export").out == here("export", trace).out


def test_several_traces_go_into_one_compressed_file_with_a_summary(
    trace: Path, here: Callable[..., Done], project: Path
) -> None:
    done = here("export", trace, trace, "-o", "out.jsonl.zst", "--json")

    packed = (project / "out.jsonl.zst").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed).read()
    assert done.json == {
        "output": "out.jsonl.zst",
        "format": "otlp",
        "traces": [str(trace), str(trace)],
        "records": 32,
        "bytes": len(plain),
        "problems": [],
    }
    assert plain.count(b"\n") == 32


def test_the_formats_are_listed(here: Callable[..., Done]) -> None:
    assert here("export", "--format", "list").out.startswith("otlp\tOTLP/JSON lines")
    assert [row["name"] for row in here("export", "--format", "list", "--json").json] == ["otlp"]


def test_bodies_and_the_convention_are_a_choice(trace: Path, here: Callable[..., Done]) -> None:
    plain, lean = here("export", trace).out, here("export", trace, "--no-bodies").out
    later = here("export", trace, "--semconv", "1.42.0-dev").out

    assert '"traceproof.request.body"' in plain
    assert '"traceproof.request.body"' not in lean
    assert "gen_ai.usage.cache_write.input_tokens" in later
    assert "gen_ai.usage.cache_write.input_tokens" not in plain


def test_the_choice_of_conventions_is_those_there_are() -> None:
    assert [choice.value for choice in Semconv] == list(VERSIONS)


def test_a_cut_trace_is_exported_as_far_as_it_goes_and_said_so(
    cut_trace: Path, here: Callable[..., Done]
) -> None:
    done = here("export", cut_trace)

    assert done.code == 0
    assert "traceproof.pending" in done.out
    assert "the file was not closed" in done.err


def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(
    trace: Path, here: Callable[..., Done], project: Path
) -> None:
    for arguments, said in (
        (["--format", "csv"], "no format 'csv': there are otlp"),
        (["--json"], "--json prints a summary on stdout: name a file with --output"),
        (["-o", trace], "is one of the traces: name another file"),
        (["-o", "no/where.jsonl"], "No such file or directory"),
    ):
        done = here("export", trace, *arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert said in done.err
        assert done.err.count("\n") == 1
    assert here("export", "unknown", "-o", "out").code == 2
    assert [path.name for path in project.iterdir() if path.name.startswith("out")] == []
