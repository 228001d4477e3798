"""What holds for every parser: no text breaks it, none takes long, none claims another's output."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceproof.recorder.testruns.parsers import PARSERS, parse

LOGS = sorted((Path(__file__).parent.parent / "logs").glob("*.txt"))
LINES = sorted({line for path in LOGS for line in path.read_text().splitlines()})
FRAMEWORK = {"pytest5": "pytest"}


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_tools_output_is_its_own(path: Path) -> None:
    name = path.stem.partition("-")[0]

    runs = parse(path.read_bytes())

    assert {run.framework for run in runs} == {FRAMEWORK.get(name, name)}
    assert len(runs) == 1


@given(st.lists(st.sampled_from(LINES), max_size=60))
def test_lines_in_any_order_are_read(lines: list[str]) -> None:
    for run in parse("\n".join(lines)):
        assert all(case.name for case in run.cases)
        assert all(number > 0 for number in run.counts.values())


@given(st.binary(max_size=500))
def test_any_bytes_are_read(data: bytes) -> None:
    parse(data)


@given(st.text(max_size=500))
def test_any_text_is_read(text: str) -> None:
    parse(text)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
@settings(max_examples=10)
@given(st.data())
def test_an_output_cut_anywhere_claims_no_success(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    (run,) = parse(whole)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))

    for part in parse(whole[start:end]):
        if run.verdict == "failure" and part.framework == run.framework:
            assert part.verdict != "success" or part.total == 0 or _names_less(path)


def _names_less(path: Path) -> bool:
    """Tools that end each package or class with a verdict of its own, which a cut may spare."""
    return path.stem.startswith(
        ("go-", "cargo-", "maven-", "unittest-", "pytest", "jest-", "mocha")
    )


@pytest.mark.parametrize(
    "piece", ["a::b ", "[", " in ", "FAILED ", "- ", "(", "---", "\x1b[", "\r", "1 passed, "]
)
@pytest.mark.parametrize("framework", list(PARSERS))
def test_long_lines_take_no_time(framework: str, piece: str) -> None:
    parse((piece * 4000 + "\n") * 20, [framework])
