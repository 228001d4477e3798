from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from traceproof.imports.missing import ALWAYS, Fact, missing
from traceproof.imports.sources import SOURCES
from traceproof.recorder import semconv
from traceproof.recorder.span import Span

PAGE = Path(__file__).parents[3] / "docs" / "importing.md"


@dataclass
class Told:
    known: set[str] = field(default_factory=set)
    commands: int = 0
    system_prompt: bool = False
    final_diff: bool = False
    root: Span = field(default_factory=lambda: Span("1" * 32, "a" * 16, "invoke_agent"))


def test_what_is_told_all_the_same_is_not_missing() -> None:
    lacks = frozenset({Fact.USAGE, Fact.SYSTEM_PROMPT, Fact.REPOSITORY})
    told = Told({semconv.INPUT_TOKENS}, system_prompt=True)
    told.root.attributes[semconv.VCS_REVISION] = "abc"

    found = missing(lacks, told, "told")

    assert {fact.value for fact in lacks} & set(found) == set()
    assert {fact.value for fact in ALWAYS} <= set(found)


def test_what_was_not_told_is_missing_whatever_the_format_can_tell() -> None:
    found = missing(frozenset(), Told(commands=1), "order")

    expected = {"usage", "approvals", "exit_codes", "times", "system_prompt", "final_diff"}
    assert expected <= set(found)


def test_every_fact_is_on_the_page() -> None:
    page = PAGE.read_text()

    assert [fact.value for fact in Fact if f"`{fact.value}`" not in page] == []
    assert [name for name in SOURCES if f"`{name}`" not in page] == []
