"""SWE-agent's trajectories: `<instance>.traj`, one JSON document.

Written from the format's documentation and the types of SWE-agent 1.x. `history` is the
conversation, with the ids of tool calls where the model calls tools; `trajectory` has a step for
each answer, with how long its action took: for those too that the model was made to give again, and
that are not in the conversation. There are no times, and no exit codes. Where a model calls no
tools, the action is read out of its text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from traceproof.imports import base, texts, tools
from traceproof.imports.clock import from_seconds
from traceproof.imports.events import Answered, Back, Event, Known, Said, Took
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import jsontext, openai_chat_content, wire
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.recorder import messages, semconv
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.messages import Message

_OURS = ("agent", "is_demo", "message_type", "tags", "thought", "action", "tool_call_ids")
"""What a message of the history has beside what the model saw of it."""

_TASK = "user"
_AHEAD = 16
"""Steps among which that of an answer is looked for: as many are asked again at most."""

_GAVE_UP = re.compile(r"Exit(?:ing)? due to ")
"""What stands in an answer's place where SWE-agent ended the session by itself."""


class SweAgent(base.OneFile):
    """SWE-agent's trajectories."""

    name = "swe-agent"
    agent = "swe-agent"
    lacks = frozenset(
        {Fact.TIMES, Fact.USAGE, Fact.TOOL_DEFINITIONS, Fact.EXIT_CODES, Fact.COMMANDS}
        | {Fact.AGENT_EXIT_CODE, Fact.REPOSITORY, Fact.APPROVALS, Fact.SIDE_CALLS, Fact.SUB_AGENTS}
    )

    def matches(self, file: TranscriptFile) -> bool:
        """Tell them by their steps, beside the history or what came of it."""
        keys = file.document.names()
        return "trajectory" in keys and bool(keys & {"history", "info", "environment"})

    def read(self, file: TranscriptFile, _others: Sequence[TranscriptFile]) -> Iterator[Event]:
        """Yield the history; where there is none, the steps."""
        run = _Run(file)
        yield run.facts()
        told = file.document.elements("history")
        if any(wire.record(element).get("role") == "assistant" for element in told):
            yield from run.history(file.document.elements("history"))
        else:
            yield from run.steps()


class _Run:
    """One trajectory."""

    def __init__(self, file: TranscriptFile) -> None:
        self._file = file
        self._info = wire.record(file.document.get("info"))
        self._model = _model(file.document.get("replay_config"))
        self._waiting = ""
        self._asked = 0
        self._told = 0
        self._task_told = False
        self._steps = file.document.elements("trajectory")
        self._ahead: deque[dict[str, Any]] = deque()

    def facts(self) -> Known:
        """Return what stands beside the conversation."""
        version = wire.text(self._info.get("swe_agent_version"))
        known = Known("", {semconv.AGENT_VERSION: version} if version else {})
        submission = wire.text(self._info.get("submission"))
        is_diff = submission.lstrip().startswith("diff --git ")
        known.final_diff = submission if is_diff else ""
        told = ("swe_agent_version", *(("submission",) if is_diff else ()))
        rest = wire.rest(self._info, told)
        known.extra = {"info": rest} if rest else {}
        return known

    def history(self, history: Iterator[Any]) -> Iterator[Event]:
        """Tell the conversation; demonstrations in it were shown, not done."""
        for element in history:
            if not isinstance(element, dict):
                self._file.notes.add("a message is no object")
            elif element.get("is_demo"):
                yield Said(_message(element), key=self._key(), copied=True)
            elif element.get("role") == "assistant":
                yield from self._left()
                before, step = self._step_of(element)
                yield from self._asked_again(before)
                yield from self._answer(element, step)
            else:
                yield from self._heard(element)
        yield from self._left()
        yield from self._after()

    def _step_of(self, answer: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the step of an answer, and those before it that are of none."""
        while len(self._ahead) < _AHEAD and (step := next(self._steps, None)) is not None:
            self._ahead.append(wire.record(step))
        own = _said_and_done(answer, "content")
        steps = [_said_and_done(step, "response") for step in self._ahead]
        alike = (n for n, step in enumerate(steps) if any(map(_is_same, step, own)))
        number = steps.index(own) if own in steps else next(alike, -1)
        taken = [self._ahead.popleft() for _ in range(number + 1)]
        return taken[:-1], taken[-1] if taken else {}

    def _asked_again(self, steps: list[dict[str, Any]]) -> Iterator[Event]:
        """Tell answers that could not be used: the model never saw them again."""
        for step in steps:
            last = self._last
            yield self._answered(_message(_answer_of(step)), ())
            yield Back(last)

    def _after(self) -> Iterator[Event]:
        """Tell the steps that came after the conversation: older versions end it before."""
        for step in (*self._ahead, *map(wire.record, self._steps)):
            yield from self._answer(_answer_of(step), step)
            yield from self._left()

    def steps(self) -> Iterator[Event]:
        """Tell the steps; the first one's query is what the model was told before it."""
        for number, step in enumerate(map(wire.record, self._file.document.elements("trajectory"))):
            query = wire.items(step.get("query")) if number == 0 else []
            for element in query:
                if isinstance(element, dict):
                    yield from self._heard(element)
            yield from self._answer(_answer_of(step), step)
            yield from self._left()

    def _answer(self, element: dict[str, Any], step: dict[str, Any]) -> Iterator[Event]:
        said = _message(element)
        calls = [part for part in said.parts if part.get("type") == "tool_call"]
        action = wire.text(element.get("action") or step.get("action")).strip()
        asked: tuple[ToolRequest, ...] = ()
        self._waiting = str(calls[0].get("id", "")) if calls else ""
        if not calls and action:
            self._asked += 1
            self._waiting = f"{tools.IN_TEXT}#{self._asked}"
            asked = (tools.in_text(self._waiting, action),)
        yield self._answered(said, asked)
        self._observation = wire.text(step.get("observation"))
        lasted = from_seconds(step.get("execution_time"))
        if self._waiting and lasted:
            yield Took(self._waiting, lasted)

    def _answered(self, said: Message, asked: tuple[ToolRequest, ...]) -> Answered:
        calls = any(part.get("type") == "tool_call" for part in said.parts)
        response = ChatResponse(messages=[said], finish_reasons=["tool_call" if calls else "stop"])
        gave_up = not calls and not asked and _GAVE_UP.match("".join(texts.texts(said)))
        return Answered(
            response, key=self._key(), model=self._model, asked=asked, is_call=not gave_up
        )

    def _key(self) -> str:
        """Name the next message."""
        self._told += 1
        return self._last

    @property
    def _last(self) -> str:
        return f"message-{self._told}"

    def _heard(self, element: dict[str, Any]) -> Iterator[Event]:
        message = _message(element)
        kind = element.get("message_type")
        if message.role != "tool" and kind == "observation" and self._waiting:
            yield Said(message, key=self._key(), answers=self._waiting)
            self._waiting = ""
            return
        if message.role == "tool":
            self._waiting = ""
        prompt = "" if message.role != _TASK or self._task_told else texts.prompt(message)
        self._task_told = self._task_told or bool(prompt)
        yield Said(message, key=self._key(), prompt=prompt)

    def _left(self) -> Iterator[Event]:
        """Tell the observation of the last step, which nobody was told any more."""
        if self._waiting and self._observation:
            answer = messages.tool_call_response(self._waiting, self._observation)
            yield Said(Message("tool", [answer]), key=self._key())
        self._waiting = ""

    _observation = ""


def _answer_of(step: dict[str, Any]) -> dict[str, Any]:
    """Return the answer that a step tells, as the history would have it."""
    said = wire.text(step.get("response")) or wire.text(step.get("thought"))
    return {"role": "assistant", "content": said, "action": step.get("action")}


def _said_and_done(told: dict[str, Any], said: str) -> tuple[str, str]:
    return wire.text(told.get(said)).strip(), wire.text(told.get("action")).strip()


def _is_same(one: str, other: str) -> bool:
    return one == other != ""


def _message(element: dict[str, Any]) -> Message:
    """Translate a message of the history; a result names its call in a list of one."""
    bare = {key: value for key, value in element.items() if key not in _OURS}
    ids = wire.items(element.get("tool_call_ids"))
    if element.get("role") == "tool":
        bare = {"role": "tool", "content": element.get("content")}
        if ids and isinstance(ids[0], str):
            bare["tool_call_id"] = ids[0]
    known = ("role", "content", "tool_calls", "tool_call_id", "thinking_blocks")
    return openai_chat_content.message({key: bare[key] for key in known if key in bare})


def _model(replay: object) -> str:
    """Return the model's name out of the configuration, which is JSON in a string."""
    try:
        config = jsontext.decode(replay) if isinstance(replay, str) else replay
    except ValueError:
        return ""
    agent = wire.record(wire.record(config).get("agent"))
    return wire.text(wire.record(agent.get("model")).get("name"))
