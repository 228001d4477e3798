from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from traceproof.recorder.reader import TraceReader

Here = Callable[..., Any]


def test_it_ends_a_file_and_says_what_it_found(here: Here, cut_trace: Path) -> None:
    code, out, err = here("repair")

    assert (code, err) == (0, "")
    assert out.startswith(f"{cut_trace}: repaired; ")
    with TraceReader.open(cut_trace) as reader:
        assert reader.closed_properly
    assert cut_trace.stat().st_mode & 0o777 == 0o600
    assert list(cut_trace.parent.iterdir()) == [cut_trace]


def test_a_file_that_is_whole_is_left_alone(here: Here, trace: Path) -> None:
    before = trace.read_bytes()

    assert here("repair", "last") == (0, f"{trace}: closed properly, nothing to repair\n", "")
    assert trace.read_bytes() == before


def test_brackets_in_a_path_are_no_markup(here: Here, trace: Path) -> None:
    odd = trace.with_name("[bold]:smile:[x].zst")
    trace.rename(odd)

    assert here("repair", odd).out == f"{odd}: closed properly, nothing to repair\n"


def test_as_json(here: Here, cut_trace: Path) -> None:
    report = here("repair", "--json", cut_trace).json

    assert (report["path"], report["changed"]) == (str(cut_trace), True)
    assert report["spans"] > 0
    assert here("repair", "--json").json["changed"] is False
