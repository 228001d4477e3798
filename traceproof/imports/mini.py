"""mini-swe-agent's trajectories: one JSON document, its messages as they went to LiteLLM.

Seen with 2.4.6 (`mini-swe-agent-1.1`): beside each answer stand the provider's whole response and
the actions that were taken out of it, beside each result its exit code. Of version 1 the actions
are read out of the text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

from traceproof.imports import base, texts, tools
from traceproof.imports.clock import from_seconds
from traceproof.imports.events import Answered, Decided, Event, Known, Ran, Said
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import (
    openai_chat_content,
    openai_chat_response,
    openai_responses_content,
    openai_responses_response,
    wire,
)
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.recorder import approvals, semconv
from traceproof.recorder.agents.mini import MiniSweAgent as Adapter
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.messages import Message
from traceproof.recorder.span import Attributes

_ADAPTER = Adapter()
_BLOCK = re.compile(r"```(?:bash|mswea_bash_command)\s*\n(.*?)\n```", re.DOTALL)
_RETURNED = re.compile(r"<returncode>(-?\d{1,10})</returncode>")
_HIDDEN = re.compile(r"^litellm:.*;response_id:(\S+)$")
_PROVIDERS = {"gemini": "gcp.gemini", "vertex_ai": "gcp.vertex_ai", "bedrock": "aws.bedrock"}
_YOLO = "yolo"
_OPENAI = "openai"
_NOT_RUN = "action was not executed"
"""What stands beside the last command, which ends the session in place of being run."""

_LITELLM = ("annotations", "function_call", "audio")
"""What LiteLLM puts on a message where the provider put nothing."""


class Mini(base.OneFile):
    """mini-swe-agent's trajectories."""

    name = "mini-swe-agent"
    agent = "mini-swe-agent"
    lacks = frozenset(
        {Fact.TOOL_DEFINITIONS, Fact.AGENT_EXIT_CODE, Fact.REPOSITORY, Fact.FINAL_DIFF}
        | {Fact.COMMANDS, Fact.SIDE_CALLS, Fact.SUB_AGENTS}
    )

    def matches(self, file: TranscriptFile) -> bool:
        """Tell them by the format's name, or by the agent's version beside the messages."""
        document = file.document
        format_name = document.get("trajectory_format")
        if isinstance(format_name, str) and format_name.startswith(self.name):
            return True
        return "messages" in document.names() and "mini_version" in wire.record(
            document.get("info")
        )

    def read(self, file: TranscriptFile, _others: Sequence[TranscriptFile]) -> Iterator[Event]:
        """Yield what the messages tell."""
        info = wire.record(file.document.get("info"))
        trajectory = _Trajectory(file, info)
        yield Known("", trajectory.facts())
        for element in file.document.elements("messages"):
            if isinstance(element, dict):
                yield from trajectory.message(element)
            else:
                file.notes.add("a message is no object")


class _Trajectory:
    """A trajectory, message by message."""

    def __init__(self, file: TranscriptFile, info: dict[str, Any]) -> None:
        self._notes = file.notes
        self._info = info
        config = wire.record(info.get("config"))
        self._mode = wire.text(wire.record(config.get("agent")).get("mode"))
        named = wire.text(wire.record(config.get("model")).get("model_name"))
        prefix, slash, rest = named.partition("/")
        self._model = rest if slash else named
        self._provider = _PROVIDERS.get(prefix, prefix) if slash else ""
        self._asked = 0
        self._waiting: list[tuple[str, str, bool]] = []
        """Calls without a result: id, command, and whether the call is the API's."""

    def facts(self) -> Attributes:
        """Return what stands beside the messages."""
        config = wire.record(self._info.get("config"))
        told: Attributes = {}
        for name, value in (
            (semconv.AGENT_VERSION, self._info.get("mini_version")),
            (
                semconv.PROCESS_WORKING_DIRECTORY,
                wire.record(config.get("environment")).get("cwd"),
            ),
        ):
            if isinstance(value, str) and value:
                told[name] = value
        return told

    def message(self, element: dict[str, Any]) -> Iterator[Event]:
        """Tell one message."""
        extra = wire.record(element.get("extra"))
        bare = {key: value for key, value in element.items() if key != "extra"}
        time = from_seconds(extra.get("timestamp"))
        if element.get("object") == "response":
            notes = wire.Notes()
            response = openai_responses_response.answer(bare, notes)
            self._notes.take(notes)
            response.id, response.extra = _own_id(response.id), {}
            yield from self._answer(response, extra)
        elif element.get("role") == "assistant":
            yield from self._answer(self._chat(bare, extra), extra)
        elif element.get("role") == "exit" or extra.get("exception_info") == _NOT_RUN:
            return  # neither was sent to a model
        else:
            is_item = "type" in element and "role" not in element
            content = openai_responses_content if is_item else openai_chat_content
            yield from self._heard(content.message(bare), extra, time)

    def _chat(self, bare: dict[str, Any], extra: dict[str, Any]) -> ChatResponse:
        """Read an answer out of the response beside it; the message is what counts."""
        response, notes = wire.record(extra.get("response")), wire.Notes()
        read = openai_chat_response.answer(response, notes) if response else ChatResponse()
        self._notes.take(notes)
        kept = {key: value for key, value in bare.items() if key not in _LITELLM or value}
        kept.pop("provider_specific_fields", None)
        read.messages = [openai_chat_content.message(kept)]
        read.id = read.id if self._provider == _OPENAI else ""
        read.extra = {}
        return read

    def _answer(self, response: ChatResponse, extra: dict[str, Any]) -> Iterator[Event]:
        in_text: list[ToolRequest] = []
        for message in response.messages:
            asked = [part for part in message.parts if part.get("type") == "tool_call"]
            for part in asked:
                arguments = wire.record(part.get("arguments"))
                command = wire.text(arguments.get("command"))
                self._waiting.append((str(part.get("id", "")), command, True))
            if not asked:
                for command in _actions(message, extra):
                    self._asked += 1
                    call_id = f"{tools.IN_TEXT}#{self._asked}"
                    in_text.append(tools.in_text(call_id, command))
                    self._waiting.append((call_id, command, False))
        yield Answered(
            response,
            time=from_seconds(extra.get("timestamp")),
            model=self._model,
            provider=self._provider,
            asked=tuple(in_text),
        )

    def _heard(self, message: Message, extra: dict[str, Any], time: int) -> Iterator[Event]:
        if message.role == "tool":
            for part in message.parts:
                yield from self._ended(str(part.get("id", "")), extra, time)
            yield Said(message, time=time)
            return
        text = "\n".join(texts.texts(message))
        told = _RETURNED.match(text.lstrip())
        by_text = bool(self._waiting) and not self._waiting[0][2]
        if by_text and (told or "returncode" in extra):
            call_id = self._waiting[0][0]
            found = {"returncode": int(told[1])} if told else {}
            yield from self._ended(call_id, {**found, **extra}, time)
            yield Said(message, time=time, answers=call_id)
            return
        self._waiting = [waiting for waiting in self._waiting if waiting[2]]
        said = texts.prompt(message, _ADAPTER.said_by_user)
        prompt = said if message.role == "user" else ""
        yield Said(message, time=time, prompt=prompt)

    def _ended(self, call_id: str, extra: dict[str, Any], time: int) -> Iterator[Event]:
        command = next((told[1] for told in self._waiting if told[0] == call_id), "")
        self._waiting = [told for told in self._waiting if told[0] != call_id]
        code = extra.get("returncode")
        if isinstance(code, int) and not extra.get("exception_info"):
            output = extra.get("raw_output")
            said = output if isinstance(output, str) else None
            yield Ran(call_id, command, exit_code=code, output=said, ended=time)
        if self._mode == _YOLO:
            yield Decided(call_id, approvals.BYPASSED, source=_YOLO, evidence=approvals.BY_MODE)


def _actions(message: Message, extra: dict[str, Any]) -> list[str]:
    """Return the commands that were taken out of an answer's text."""
    told = [wire.record(action).get("command") for action in wire.items(extra.get("actions"))]
    found = [command for command in told if isinstance(command, str)]
    if found or "actions" in extra:
        return found
    text = "\n".join(texts.texts(message))
    blocks = [block.strip() for block in _BLOCK.findall(text)]
    return blocks if len(blocks) == 1 else []


def _own_id(made: str) -> str:
    """Return the provider's id of a response: LiteLLM hides it in one of its own."""
    try:
        told = base64.b64decode(made.removeprefix("resp_"), validate=True).decode()
    except ValueError:
        return made
    found = _HIDDEN.search(told)
    return found[1] if found else made
