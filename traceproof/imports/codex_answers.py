"""The answers in Codex's transcript: which items are one, and what is told beside them.

An answer is held back until the next begins: what it used is told after it, and in older versions
after the results of its tool calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from traceproof.imports import codex_facts
from traceproof.imports.events import Answered, Decided, Event, Ran
from traceproof.proxy.dialects import openai_responses_response, wire
from traceproof.proxy.notes import as_text
from traceproof.recorder import approvals
from traceproof.recorder.messages import Message

_AGENT = "codex"
_OURS = frozenset({"reasoning", "web_search_call", "image_generation_call", "compaction"})
_EXIT_CODE = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d{1,10})$", re.MULTILINE)


def is_answer(item: dict[str, Any]) -> bool:
    """Tell whether an item is of a model's answer."""
    kind = wire.text(item.get("type"))
    if kind == "message":
        return item.get("role") == "assistant"
    return kind in _OURS or kind.endswith("_call")


class Answers:
    """The answers of one thread; `copied` while lines are those of the thread it was forked from.

    `model`, `provider` and `mode` are what the lines said last; `mode` is what the approval policy
    says of a call that nobody denied.
    """

    def __init__(self, agent_id: str, notes: wire.Notes) -> None:
        self.copied = False
        self.model = self.provider = self.mode = self._policy = ""
        self._agent_id = agent_id
        self._notes = notes
        self._items: list[dict[str, Any]] = []
        self._usage: dict[str, Any] = {}
        self._response_id = ""
        self._starts: dict[str, int] = {}
        self._scripts: dict[str, str] = {}
        self._ran: set[str] = set()
        self._time = 0
        self._held: list[Event] = []

    def policy(self, context: dict[str, Any]) -> None:
        """Take note of the approval policy: `never` asks nobody, and there may be no sandbox."""
        self._policy = wire.text(context.get("approval_policy"))
        sandbox = wire.text(wire.record(context.get("sandbox_policy")).get("type"))
        bypassed = sandbox == "danger-full-access"
        never = approvals.BYPASSED if bypassed else approvals.AUTO
        self.mode = never if self._policy == "never" else ""

    def item(self, item: dict[str, Any], time: int) -> Iterator[Event]:
        """Take an item of an answer; after a result it is of the next one."""
        if self._held:
            yield from self.finish()
        self._items.append(item)
        self._time = time or self._time
        call_id = wire.text(item.get("call_id"))
        if call_id:
            self._starts[call_id] = self._time
            script = codex_facts.script(item)
            if script:
                self._scripts[call_id] = script

    def used(self, record: dict[str, Any]) -> Iterator[Event]:
        """Take what the answer used, and its id: it ends with this."""
        self._usage = codex_facts.usage(record.get("usage"))
        self._response_id = wire.text(record.get("response_id"))
        yield from self.finish()

    def counted(self, event: dict[str, Any]) -> Iterator[Event]:
        """Take what an older version says that the last answer used; again and again it may."""
        last = wire.record(event.get("info")).get("last_token_usage")
        if self._items and last:
            self._usage = codex_facts.usage(last)
            yield from self.finish()

    def hold(self, events: Iterable[Event]) -> Iterator[Event]:
        """Pass events on, or keep them until the answer that is open has been told."""
        if self._items:
            self._held += events
        else:
            yield from events

    def results(self, message: Message, time: int) -> Iterator[Event]:
        """Tell what the results in a message say of the calls."""
        for part in message.parts:
            if part.get("type") != "tool_call_response":
                continue
            call_id, text = str(part.get("id", "")), as_text(part.get("response"))
            script = self._scripts.pop(call_id, None)
            found = _EXIT_CODE.search(text[:400])
            if script is not None and call_id not in self._ran:
                code = int(found[1]) if found else codex_facts.exit_code(text)
                yield Ran(call_id, script, self._agent_id, "bash", exit_code=code, ended=time)
            self._ran.discard(call_id)
            yield from self._decided(call_id, text)

    def told(self, kind: str, payload: dict[str, Any], time: int) -> Iterator[Event]:
        """Take an event beside the items: a command, with how it ended."""
        found = codex_facts.command(kind, payload, self._agent_id, time)
        if found is not None:
            self._ran.add(found.call_id)
            yield from self.hold([found])

    def finish(self) -> Iterator[Event]:
        """Tell the answer that is open, and what was held back."""
        if self._items:
            yield self._answered()
        yield from self._held
        self._items, self._held, self._starts = [], [], {}
        self._usage, self._response_id = {}, ""

    def _decided(self, call_id: str, text: str) -> Iterator[Event]:
        denied = approvals.from_result(_AGENT, text)
        if denied is not None:
            yield Decided(call_id, denied.word, self._agent_id, denied.source, denied.evidence)
        elif self.mode and not approvals.never_ran(_AGENT, text):
            yield Decided(call_id, self.mode, self._agent_id, self._policy, approvals.BY_MODE)

    def _answered(self) -> Answered:
        whole = {
            "id": self._response_id,
            "model": self.model,
            "output": self._items,
            "usage": self._usage or None,
            "status": "completed",
        }
        notes = wire.Notes()
        response = openai_responses_response.answer(whole, notes)
        self._notes.take(notes)
        return Answered(
            response,
            self._agent_id,
            self._time,
            model=self.model,
            provider=self.provider,
            starts=self._starts,
        )
