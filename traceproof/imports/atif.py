"""ATIF, the Agent Trajectory Interchange Format, 1.0 to 1.8: one JSON document.

Written from the format's models. A step of the agent is a model call with its tool calls and what
came of them; a trajectory holds those of its sub-agents. Steps that were copied from another
trajectory are context, not calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from traceproof.imports import base, texts
from traceproof.imports.clock import from_iso
from traceproof.imports.events import Answered, Event, Known, Said, Started
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import openai_chat_content, wire
from traceproof.proxy.dialects.base import ChatResponse, Usage
from traceproof.recorder import messages, semconv
from traceproof.recorder.messages import Message, Part

_VERSION = re.compile(r"ATIF-v1\.\d{1,3}")
_DEEPEST = 16
_STEP = ("step_id", "timestamp", "source", "message", "model_name", "reasoning_content")
_STEP_TOO = ("tool_calls", "observation", "metrics", "is_copied_context", "llm_call_count")
_TRAJECTORY = ("schema_version", "session_id", "agent", "steps", "subagent_trajectories")


class Atif(base.OneFile):
    """Trajectories in ATIF."""

    name = "atif"
    agent = "unknown"
    lacks = frozenset(
        {Fact.AGENT_EXIT_CODE, Fact.REPOSITORY, Fact.FINAL_DIFF, Fact.APPROVALS}
        | {Fact.EXIT_CODES, Fact.COMMANDS, Fact.SIDE_CALLS}
    )

    def matches(self, file: TranscriptFile) -> bool:
        """Tell them by the schema's version."""
        version = file.document.get("schema_version")
        return isinstance(version, str) and bool(_VERSION.fullmatch(version))

    def read(self, file: TranscriptFile, _others: Sequence[TranscriptFile]) -> Iterator[Event]:
        """Yield the trajectory, then those of its sub-agents."""
        document = file.document
        keys = [key for key in sorted(document.names()) if key not in _TRAJECTORY]
        top = {key: document.get(key) for key in ("session_id", "agent", *keys)}
        main = _Trajectory(file, top)
        yield from main.events(document.elements("steps"))
        children = [x for x in document.elements("subagent_trajectories") if isinstance(x, dict)]
        yield from _sub_agents(file, children, main.launched, depth=1)
        if main.launched.keys() - {_named(child) for child in children}:
            file.notes.add("a sub-agent's trajectory is in another file, and is left out")
            yield Known(lacks=frozenset({Fact.SUB_AGENTS}))


def _sub_agents(
    file: TranscriptFile, children: list[dict[str, Any]], launched: dict[str, str], *, depth: int
) -> Iterator[Event]:
    """Tell the trajectories of sub-agents, each under the call whose result refers to it."""
    if depth > _DEEPEST:
        file.notes.add(f"sub-agents nested deeper than {_DEEPEST} were left out")
        return
    for number, child in enumerate(children, 1):
        agent_id = _named(child) or f"sub-agent-{depth}.{number}"
        name = wire.text(wire.record(child.get("agent")).get("name")) or "sub-agent"
        yield Started(agent_id, name, launched.get(agent_id, ""))
        trajectory = _Trajectory(file, child, agent_id)
        yield from trajectory.events(wire.items(child.get("steps")))
        below = [x for x in wire.items(child.get("subagent_trajectories")) if isinstance(x, dict)]
        yield from _sub_agents(file, below, trajectory.launched, depth=depth + 1)


def _named(trajectory: dict[str, Any]) -> str:
    return wire.text(trajectory.get("trajectory_id")) or wire.text(trajectory.get("session_id"))


class _Trajectory:
    """One trajectory, step by step."""

    def __init__(self, file: TranscriptFile, top: dict[str, Any], agent_id: str = "") -> None:
        self.launched: dict[str, str] = {}
        """Sub-agent's trajectory → the call whose result refers to it."""
        self._notes = file.notes
        self._top = top
        self._agent_id = agent_id
        self._agent = wire.record(top.get("agent"))

    def events(self, steps: Any) -> Iterator[Event]:
        """Yield what stands at the top, then the steps."""
        yield self._facts()
        for step in steps:
            if not isinstance(step, dict):
                self._notes.add("a step is no object")
            elif step.get("source") == "agent":
                yield from self._answer(step)
            else:
                yield from self._heard(step)

    def _facts(self) -> Known:
        names = {
            semconv.AGENT_NAME: self._agent.get("name"),
            semconv.AGENT_VERSION: self._agent.get("version"),
            semconv.CONVERSATION_ID: self._top.get("session_id"),
        }
        told = {name: value for name, value in names.items() if isinstance(value, str) and value}
        extra = wire.rest(self._top, _TRAJECTORY)
        more = wire.rest(self._agent, ("name", "version", "model_name", "tool_definitions"))
        known = Known(self._agent_id, dict(told))
        known.tools = [_tool(each) for each in wire.items(self._agent.get("tool_definitions"))]
        known.extra = {**extra, **({"agent": more} if more else {})}
        return known

    def _heard(self, step: dict[str, Any]) -> Iterator[Event]:
        source, parts = wire.text(step.get("source")), _parts(step.get("message"))
        role = source if source in {"system", "user"} else "user"
        copied = step.get("is_copied_context") is True
        said = texts.prompt(Message(role, parts))
        prompt = said if role == "user" and not copied else ""
        time = from_iso(step.get("timestamp"))
        if parts:
            yield Said(Message(role, parts), self._agent_id, time, prompt=prompt, copied=copied)
        yield from self._observed(step, time, copied=copied)

    def _answer(self, step: dict[str, Any]) -> Iterator[Event]:
        time, calls = from_iso(step.get("timestamp")), _calls(step)
        thought = step.get("reasoning_content")
        thoughts = [messages.reasoning(thought)] if isinstance(thought, str) and thought else []
        message = Message("assistant", [*thoughts, *_parts(step.get("message")), *calls])
        copied = step.get("is_copied_context") is True
        if copied:
            yield Said(message, self._agent_id, time, copied=True)
        else:
            extra = wire.rest(step, (*_STEP, *_STEP_TOO))
            usage, more = _usage(step.get("metrics"))
            yield Answered(
                ChatResponse(
                    messages=[message],
                    finish_reasons=["tool_call" if calls else "stop"],
                    usage=usage,
                    extra=extra | ({"metrics": more} if more else {}),
                ),
                self._agent_id,
                time,
                model=wire.text(step.get("model_name")) or wire.text(self._agent.get("model_name")),
                is_call=step.get("llm_call_count") != 0,
            )
        yield from self._observed(step, time, copied=copied, calls=calls)

    def _observed(
        self, step: dict[str, Any], time: int, *, copied: bool, calls: Sequence[Part] = ()
    ) -> Iterator[Event]:
        """Tell what came of a step's calls; one result without a name is the only call's."""
        results = wire.items(wire.record(step.get("observation")).get("results"))
        for result in map(wire.record, results):
            call_id = wire.text(result.get("source_call_id"))
            if not call_id and len(calls) == len(results) == 1:
                call_id = str(calls[0].get("id", ""))
            for reference in map(wire.record, wire.items(result.get("subagent_trajectory_ref"))):
                self.launched[_named(reference)] = call_id
            content = result.get("content")
            response = _parts(content) if isinstance(content, list) else content
            if call_id:
                part = messages.tool_call_response(call_id, "" if response is None else response)
                message = Message("tool", [wire.extended(part, result, _RESULT)])
            else:
                message = Message("user", _parts(content))
            yield Said(message, self._agent_id, time, copied=copied)


_RESULT = ("source_call_id", "content", "subagent_trajectory_ref")


def _calls(step: dict[str, Any]) -> list[Part]:
    """Translate a step's tool calls; what is none is left out, for it says nothing."""
    known = ("tool_call_id", "function_name", "arguments")
    return [
        wire.extended(
            messages.tool_call(
                wire.text(call.get("tool_call_id")),
                wire.text(call.get("function_name")),
                call.get("arguments"),
            ),
            call,
            known,
        )
        for call in map(wire.record, wire.items(step.get("tool_calls")))
        if call
    ]


def _parts(content: Any) -> list[Part]:
    """Translate a message: text, or parts of text, image and audio."""
    if isinstance(content, str):
        return [messages.text(content)] if content else []
    return [_part(each) for each in wire.items(content)]


def _part(value: Any) -> Part:
    match value:
        case {"type": "text", "text": str(text)}:
            return messages.text(text)
        case {"type": str(kind), "source": {"path": str(path)} as source}:
            known = ("path", "media_type")
            made = openai_chat_content.addressed(kind, path)
            mime = wire.text(source.get("media_type"))
            return wire.extended(made | ({"mime_type": mime} if mime else {}), source, known)
    return messages.generic("content", value)


def _tool(value: Any) -> dict[str, Any]:
    """Translate a tool definition, in OpenAI's shape."""
    function = wire.record(wire.record(value).get("function"))
    return {"type": "function", **function} if function else messages.generic("tool", value)


def _usage(value: Any) -> tuple[Usage, dict[str, Any]]:
    metrics = wire.record(value)
    names = {"input": "prompt_tokens", "output": "completion_tokens", "cache_read": "cached_tokens"}
    counts = {ours: wire.count(metrics.get(theirs)) for ours, theirs in names.items()}
    more = wire.rest(metrics, tuple(names.values()))
    return msgspec.convert(counts, Usage), more
