"""Codex's sessions: `~/.codex/sessions/<year>/<month>/<day>/rollout-<time>-<thread>.jsonl`.

Seen with 0.169.0. Its lines are the items of OpenAI's Responses API as they were sent and received
(`response_item`), and events beside them: token counts, commands with their exit codes, settings.
Which items are one answer is told by a `token_usage_record`; in older versions by what follows. A
sub-agent's thread is a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.imports import codex_facts, texts
from traceproof.imports.clock import from_iso
from traceproof.imports.codex_answers import Answers, is_answer
from traceproof.imports.events import Event, Forgot, Happened, Known, Said, Started
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import openai_responses_content, wire
from traceproof.recorder import humanevents, semconv
from traceproof.recorder.agents.codex import Codex as Adapter

_KINDS = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_ADAPTER = Adapter()


class Codex:
    """Codex's transcripts."""

    name = "codex"
    agent = "codex"
    lacks = frozenset(
        {Fact.TOOL_DEFINITIONS, Fact.SIDE_CALLS, Fact.FINAL_DIFF, Fact.AGENT_EXIT_CODE}
    )

    def matches(self, file: TranscriptFile) -> bool:
        """Tell them by their lines: a kind of theirs and a payload."""
        return any(
            (wire.text(line.get("type")) in _KINDS and isinstance(line.get("payload"), dict))
            or ("type" not in line and {"id", "timestamp", "instructions"} <= line.keys())
            for line in file.first
        )

    def others(self, file: TranscriptFile) -> Sequence[Path]:
        """Return the files of the threads that this one started, from its folder."""
        own = codex_facts.thread(file.path)
        if own.parent or not own.thread:
            return ()
        found = (path for path in sorted(file.path.parent.glob("rollout-*.jsonl")))
        told = [(path, codex_facts.thread(path)) for path in found if path != file.path]
        return [path for path, it in told if it.parent and it.session == own.session]

    def owner(self, path: Path) -> Path | None:
        """Return the file of the thread that a sub-agent's file names as its session's."""
        if not path.name.startswith("rollout-"):
            return None
        own = codex_facts.thread(path)
        found = path.parent.glob(f"rollout-*-{own.session}.jsonl") if own.parent else ()
        return next((owner for owner in sorted(found) if owner != path), None)

    def kept(self, environment: Mapping[str, str], session: str) -> Sequence[Path]:
        """Return a thread's file in the folder that the environment tells."""
        home = Path(environment.get("HOME") or "/")
        folder = Path(environment.get("CODEX_HOME") or home / ".codex")
        return sorted(folder.glob(f"sessions/*/*/*/rollout-*-{session}.jsonl"))

    def read(self, file: TranscriptFile, others: Sequence[TranscriptFile]) -> Iterator[Event]:
        """Yield the main thread, then each sub-agent's, those above before those below."""
        main = _Thread(file)
        yield from main.events()
        spawned = main.spawned
        told = [(codex_facts.thread(other.path), other) for other in others]
        for it, other in sorted(told, key=lambda pair: pair[0].depth):
            agent_id = it.agent
            parent = next((p.agent for p, _ in told if p.thread == it.parent), "")
            name = it.name or "sub-agent"
            yield Started(agent_id, name, spawned.get(it.thread, ""), parent_agent_id=parent)
            thread = _Thread(other, agent_id, it.begins)
            yield from thread.events()
            spawned |= thread.spawned
        if spawned.keys() - {it.thread for it, _ in told}:
            file.notes.add("a sub-agent's file is not there")
            yield Known(lacks=frozenset({Fact.SUB_AGENTS}))


class _Thread:
    """One file, line by line; lines before the ordinal `begins` are its parent's, repeated."""

    def __init__(self, file: TranscriptFile, agent_id: str = "", begins: int = 0) -> None:
        self.spawned: dict[str, str] = {}
        """Thread → the call that started it."""
        self._file = file
        self._agent_id = agent_id
        self._begins = begins
        self._answers = Answers(agent_id, file.notes)
        self._threads_met = 0
        self._handlers: dict[str, Callable[[dict[str, Any], int], Iterator[Event]]] = {
            "session_meta": self._meta,
            "turn_context": self._context,
            "response_item": self._item,
            "event_msg": self._event,
            "token_usage_record": self._usage,
            "compacted": self._compacted,
            "world_state": _nothing,
            "inter_agent_communication_metadata": _nothing,
        }

    def events(self) -> Iterator[Event]:
        """Yield what the lines tell."""
        for line in self._file.records():
            kind, payload = _kind(line)
            ordinal = line.get("ordinal")
            self._answers.copied = isinstance(ordinal, int) and ordinal < self._begins
            handler = self._handlers.get(kind)
            if handler is None:
                self._file.notes.add(f"a line of unknown kind {wire.brief(kind)}")
                continue
            yield from handler(payload, from_iso(line.get("timestamp")))
        yield from self._answers.finish()

    def _meta(self, payload: dict[str, Any], _time: int) -> Iterator[Event]:
        """Take the first one: a forked thread repeats its parent's after its own."""
        self._threads_met += 1
        if self._threads_met > 1:
            return
        self._answers.provider = wire.text(payload.get("model_provider"))
        instructions = codex_facts.instructions(payload)
        system = openai_responses_content.parts(instructions) if instructions else None
        told = {} if self._agent_id else codex_facts.session(payload)
        yield Known(self._agent_id, told, system)

    def _context(self, payload: dict[str, Any], _time: int) -> Iterator[Event]:
        self._answers.model = wire.text(payload.get("model")) or self._answers.model
        self._answers.policy(payload)
        cwd = wire.text(payload.get("cwd"))
        if cwd and not self._agent_id:
            yield Known("", {semconv.PROCESS_WORKING_DIRECTORY: cwd})

    def _item(self, payload: dict[str, Any], time: int) -> Iterator[Event]:
        if self._answers.copied:
            message = openai_responses_content.message(payload)
            yield Said(message, self._agent_id, time, copied=True)
        elif is_answer(payload):
            yield from self._answers.item(payload, time)
        else:
            yield from self._heard(payload, time)

    def _heard(self, payload: dict[str, Any], time: int) -> Iterator[Event]:
        message = openai_responses_content.message(payload)
        if message.role == "tool":
            yield from self._answers.hold(self._answers.results(message, time))
            yield from self._answers.hold([Said(message, self._agent_id, time)])
            return
        yield from self._answers.finish()
        said = texts.prompt(message, _ADAPTER.said_by_user)
        prompt = said if message.role == "user" else ""
        yield Said(message, self._agent_id, time, prompt=prompt)

    def _event(self, payload: dict[str, Any], time: int) -> Iterator[Event]:
        if self._answers.copied:
            return
        kind = wire.text(payload.get("type"))
        item = wire.record(payload.get("item"))
        if kind == "token_count":
            yield from self._answers.counted(payload)
        elif kind == "item_completed" and item.get("type") == "SubAgentActivity":
            thread, call_id = item.get("agent_thread_id"), item.get("id")
            if item.get("kind") == "started" and isinstance(thread, str):
                self.spawned[thread] = wire.text(call_id)
        elif kind == "turn_aborted":
            reason = wire.text(payload.get("reason"))
            yield from self._answers.finish()
            yield Happened(humanevents.INTERRUPTION, self._agent_id, time, reason)
        else:
            yield from self._answers.told(kind, payload, time)

    def _usage(self, payload: dict[str, Any], _time: int) -> Iterator[Event]:
        if not self._answers.copied:
            yield from self._answers.used(payload)

    def _compacted(self, payload: dict[str, Any], time: int) -> Iterator[Event]:
        yield from self._answers.finish()
        yield Forgot(self._agent_id)
        yield Happened(humanevents.COMPACTION, self._agent_id, time)
        for item in wire.items(payload.get("replacement_history")):
            message = openai_responses_content.message(item)
            yield Said(message, self._agent_id, time, copied=True)


def _kind(line: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what a line is and what it says; those of old versions stand bare."""
    if "payload" in line:
        return wire.text(line.get("type")), wire.record(line["payload"])
    if "type" in line:
        return "response_item", line
    return "world_state" if "record_type" in line else "session_meta", line


def _nothing(_payload: dict[str, Any], _time: int) -> Iterator[Event]:
    return iter(())
