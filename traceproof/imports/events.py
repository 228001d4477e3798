"""What a transcript tells, in no format's words.

A source yields these in the order of the conversation; `traceproof.imports.assembler` makes spans
of them. Times are Unix nanoseconds, 0 where the transcript tells none. `agent_id` is empty for the
main agent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from traceproof.imports.missing import Fact
from traceproof.proxy.dialects.base import ChatResponse
from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.messages import Message, Part
from traceproof.recorder.span import Attributes


@dataclass(slots=True)
class Known:
    """Facts about an agent: attributes of its span, and what goes with all its calls."""

    agent_id: str = ""
    attributes: Attributes = field(default_factory=dict)
    system: list[Part] | None = None
    tools: list[dict[str, Any]] | None = None
    final_diff: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    """What else is told of the session, by the transcript's own names."""
    lacks: frozenset[Fact] = frozenset()
    """What this transcript does not tell, though others of its format do."""


@dataclass(slots=True)
class Started:
    """A sub-agent begins, started by the tool call `call_id` where that is known."""

    agent_id: str
    name: str
    call_id: str = ""
    join: str = "exact"
    parent_agent_id: str = ""


@dataclass(slots=True)
class Said:
    """A message that the model gets to see; `key` names it for `Back`.

    `prompt` is what a person said in it. The tool results in it close their calls, and so does its
    text the call that it `answers`; unless it is `copied` from another conversation.
    """

    message: Message
    agent_id: str = ""
    time: int = 0
    key: str = ""
    prompt: str = ""
    answers: str = ""
    copied: bool = False


@dataclass(slots=True)
class Answered:
    """A model call's answer; `started` is the call's start.

    `starts` has the times of tool calls by their ids, where they are told. Without `is_call` it is
    no model's: what it asks for was asked all the same. `asked` are calls that are none of the API:
    the source reads them out of the text.
    """

    response: ChatResponse
    agent_id: str = ""
    time: int = 0
    key: str = ""
    model: str = ""
    provider: str = ""
    started: int = 0
    starts: dict[str, int] = field(default_factory=dict)
    is_call: bool = True
    state: str = "complete"
    purpose: str = "main"
    asked: tuple[ToolRequest, ...] = ()


@dataclass(slots=True)
class Ran:
    """A command that a tool call ran, as the transcript tells it; it comes before the result.

    `shell` is what runs the script, where no `args` say so.
    """

    call_id: str
    script: str = ""
    agent_id: str = ""
    shell: str = "sh"
    args: tuple[str, ...] = ()
    exit_code: int | None = None
    cwd: str = ""
    output: str | None = None
    started: int = 0
    ended: int = 0


@dataclass(slots=True)
class Took:
    """How long a tool call took, in nanoseconds; it comes before the result."""

    call_id: str
    duration: int
    agent_id: str = ""


@dataclass(slots=True)
class Decided:
    """What was decided on a tool call: an approval's word, and who decided, if that is told."""

    call_id: str
    approval: str
    agent_id: str = ""
    source: str = ""
    evidence: str = "transcript"


@dataclass(slots=True)
class Happened:
    """An event on an agent's span: an interruption, a queued prompt, a command of the agent's."""

    name: str
    agent_id: str = ""
    time: int = 0
    content: str = ""


@dataclass(slots=True)
class Back:
    """The conversation goes on from after the message `key`: what came since was taken back."""

    key: str
    agent_id: str = ""


@dataclass(slots=True)
class Forgot:
    """The conversation begins anew: it was compacted, or cleared."""

    agent_id: str = ""


Event: TypeAlias = (
    Known | Started | Said | Answered | Ran | Took | Decided | Happened | Back | Forgot
)
