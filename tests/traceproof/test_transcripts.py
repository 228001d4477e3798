"""What a transcript adds to a recording of the same session."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import transcripts as made
from support.transcripts import SESSION, Claude, Codex
from traceproof import transcripts
from traceproof.recorder import semconv
from traceproof.recorder.humanevents import INTERRUPTION, SLASH_COMMAND
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, Event, Span

LONG = "A long prompt. " * 40


def stored(text: str) -> str:
    return f"text:{len(text)}"


def always(_moment: int) -> bool:
    return True


def root(*events: Event) -> Span:
    attributes: Attributes = {semconv.CONVERSATION_ID: SESSION}
    return Span(
        "1" * 32, "a" * 16, "invoke_agent", start=1, events=[*events], attributes=attributes
    )


def claude_file(home: Path, claude: Claude) -> Path:
    folder = home / ".claude" / "projects" / "-work"
    folder.mkdir(parents=True)
    return made.lines(folder / f"{SESSION}.jsonl", claude.records)


def session() -> Claude:
    claude = Claude()
    claude.says("Do it.")
    claude.answers("Half")
    claude.says("[Request interrupted by user]")
    claude.says(LONG)
    claude.says("<command-name>/exit</command-name>\n<command-args></command-args>")
    return claude


def told(span: Span) -> list[tuple[str, object, object]]:
    return [
        (
            event.name,
            event.attributes.get("content") or event.attributes.get(semconv.REF + "content"),
            event.attributes.get(semconv.EVENT_FROM),
        )
        for event in span.events
    ]


def test_only_what_the_wire_did_not_show_is_added(tmp_path: Path) -> None:
    claude_file(tmp_path, session())
    span = root(Event(PROMPT_EVENT, 5, {"content": "Do it."}))
    span.events.append(Event(PROMPT_EVENT, 6, {semconv.REF + "content": stored(LONG.strip())}))

    problems = transcripts.tell(span, "claude-code", {"HOME": str(tmp_path)}, stored, always)

    assert problems == []
    assert told(span) == [
        (PROMPT_EVENT, "Do it.", None),
        (PROMPT_EVENT, stored(LONG.strip()), None),
        (INTERRUPTION, "[Request interrupted by user]", "transcript"),
        (SLASH_COMMAND, "/exit", "transcript"),
    ]


def test_the_first_prompt_stands_whole_however_long(tmp_path: Path) -> None:
    claude = Claude()
    claude.says(LONG)
    claude_file(tmp_path, claude)
    span = root(Event(PROMPT_EVENT, 5, {"content": LONG}))

    transcripts.tell(span, "claude-code", {"HOME": str(tmp_path)}, stored, always)

    assert len(span.events) == 1


def test_what_happened_before_or_during_a_pause_is_left_out(tmp_path: Path) -> None:
    claude_file(tmp_path, session())
    paused, later = root(), root()
    later.start = 1 << 62

    for span, covers in ((paused, lambda _moment: False), (later, always)):
        transcripts.tell(span, "claude-code", {"HOME": str(tmp_path)}, stored, covers)

        assert span.events == []


def test_codex_tells_of_interruptions(tmp_path: Path) -> None:
    codex = Codex()
    codex.says("Do it.")
    codex.event("turn_aborted", reason="interrupted")
    folder = tmp_path / "codex" / "sessions" / "2026" / "03" / "01"
    folder.mkdir(parents=True)
    made.lines(folder / f"rollout-2026-03-01T10-00-00-{SESSION}.jsonl", codex.records)
    span = root(Event(PROMPT_EVENT, 5, {"content": "Do it."}))

    transcripts.tell(span, "codex", {"CODEX_HOME": str(tmp_path / "codex")}, stored, always)

    assert told(span)[1:] == [(INTERRUPTION, "interrupted", "transcript")]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("aider", SESSION),
        ("claude-code", "../../../etc"),
        ("claude-code", "*"),
        ("claude-code", ""),
        ("mini-swe-agent", SESSION),
        ("claude-code", "another-session"),
    ],
)
def test_where_there_is_no_transcript_there_is_nothing_to_say(
    tmp_path: Path, agent: str, name: str
) -> None:
    claude_file(tmp_path, session())

    assert transcripts.find(agent, {"HOME": str(tmp_path)}, name) is None


def test_one_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = claude_file(tmp_path, session())
    monkeypatch.setattr(transcripts, "LARGEST", 10)
    span = root()

    problems = transcripts.tell(span, "claude-code", {"HOME": str(tmp_path)}, stored, always)

    assert problems == [f"the agent's transcript was not read: {path}: more than 10 bytes"]
    assert span.events == []
