"""A synthetic coding agent, for benchmarks: it grows a conversation and gives each call's bytes.

18 KB of system prompt, 18 tools, tool results of 0.2 to 8 KB (slices of Python's own source code),
a `cache_control` marker that moves along, answers streamed in pieces of 5 to 20 characters.
"""

from __future__ import annotations

import json
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = {"type": "ephemeral"}
WORDS = (  # noqa: SIM905 - prose reads best as prose
    "let me check how this function reads the file before we change it and then run the tests "
    "again because the error says that a value is missing from the second argument of the "
    "call I will look at which module defines that class so the fix stays small next step "
    "verify"
).split()


@dataclass
class Agent:
    """A synthetic agent: it grows a conversation and gives each call's bytes."""

    random: random.Random
    corpus: str
    conversation: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.system = [
            {"type": "text", "text": "You are a coding agent."},
            {"type": "text", "text": self._code(18_000), "cache_control": MARKER},
        ]
        self.tools = [
            {
                "name": f"tool_{number}",
                "description": self._code(self.random.randint(300, 2500)),
                "input_schema": {
                    "type": "object",
                    "properties": {"path": {"type": "string", "description": self._prose(12)}},
                },
            }
            for number in range(18)
        ]
        self.conversation.append({"role": "user", "content": self._block(self._prose(40))})

    def _code(self, size: int) -> str:
        at = self.random.randrange(len(self.corpus) - size)
        return self.corpus[at : at + size]

    def _prose(self, words: int) -> str:
        return " ".join(self.random.choices(WORDS, k=words))

    def _block(self, text: str) -> list[dict[str, Any]]:
        return [{"type": "text", "text": text}]

    def request(self) -> bytes:
        """Return a request: the last two messages carry the marker."""
        sent = list(self.conversation)
        for at in range(max(0, len(sent) - 2), len(sent)):
            *before, last = sent[at]["content"]
            sent[at] = {**sent[at], "content": [*before, {**last, "cache_control": MARKER}]}
        body = {
            "model": "claude-sonnet-4-5",
            "messages": sent,
            "system": self.system,
            "tools": self.tools,
            "metadata": {"user_id": "user_0123_session_4567"},
            "max_tokens": 32000,
            "stream": True,
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()

    def answer(self) -> list[bytes]:
        """Answer with some prose and a tool call, which gets its result; returns the events."""
        call_id = f"toolu_{self.random.getrandbits(96):024x}"
        prose = self._prose(self.random.randint(10, 60))
        arguments = {
            "path": f"/src/{self._prose(1)}/{self._prose(1)}.py",
            "command": self._code(80),
        }
        call = {"type": "tool_use", "id": call_id, "name": "tool_3", "input": arguments}
        self.conversation.append({"role": "assistant", "content": [*self._block(prose), call]})
        stream = [event.encode() for event in self._events(prose, call)]
        result = self._code(self.random.randint(200, 8000))
        answer = {"type": "tool_result", "tool_use_id": call_id, "content": result}
        self.conversation.append({"role": "user", "content": [answer]})
        return stream

    def _events(self, prose: str, call: dict[str, Any]) -> Iterator[str]:
        message = {"id": f"msg_{self.random.getrandbits(96):024x}", "role": "assistant"}
        usage = {"input_tokens": self.random.randint(1, 99), "output_tokens": 1}
        yield _event("message_start", message={**message, "usage": usage})
        block = {"type": "text", "text": ""}
        yield _event("content_block_start", index=0, content_block=block)
        for piece in self._pieces(prose):
            delta = {"type": "text_delta", "text": piece}
            yield _event("content_block_delta", index=0, delta=delta)
        yield _event("content_block_stop", index=0)
        yield _event("content_block_start", index=1, content_block={**call, "input": {}})
        for piece in self._pieces(json.dumps(call["input"])):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield _event("content_block_delta", index=1, delta=delta)
        yield _event("content_block_stop", index=1)
        stop = {"stop_reason": "tool_use", "stop_sequence": None}
        usage = {"output_tokens": self.random.randint(50, 400)}
        yield _event("message_delta", delta=stop, usage=usage)
        yield _event("message_stop")

    def _pieces(self, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            size = self.random.randint(5, 20)
            yield text[at : at + size]
            at += size


def _event(name: str, **data: Any) -> str:
    body = json.dumps({"type": name, **data}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {name}\ndata: {body}\n\n"


def corpus() -> str:
    """Return Python's own library as text: realistic, and on every machine."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return "".join(file.read_text("utf-8", "replace") for file in files)
