"""How a tool call was allowed: by a rule, by a person, not at all, or by a bypass.

Three witnesses, in this order: what the agent's own spans say of the call, what its result says,
and what the agent was started with. The last two are inferences, and are marked as such. The words
are those of Claude Code 2.1.197, Codex 0.169.0, Gemini CLI 0.61.0 and opencode 1.18.33. Claude
Code's spans say `reject` of a call that did not run, and of one that did `accept` with a source, or
`unknown` where nobody was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from traceproof.recorder import otlp, semconv
from traceproof.recorder.span import Attributes, Span, decode_attributes

AUTO, GRANTED, DENIED, BYPASSED = "auto", "granted", "denied", "bypassed"

BY_SPAN, BY_TRANSCRIPT, BY_RESULT, BY_MODE = "agent_span", "transcript", "result", "mode"

_BLOCKED = "claude_code.tool.blocked_on_user"
_TOOL = "claude_code.tool"
_BY_RULE = frozenset({"config", "hook"})
_MOST = 64
"""Tool calls that wait at most for what the agent says of them."""


class Approval(NamedTuple):
    """What was decided on a tool call, what says so, and who decided in the agent's words."""

    word: str
    evidence: str
    source: str = ""

    def attributes(self) -> Attributes:
        """Return what a tool call's span says of it."""
        told: Attributes = {
            semconv.TOOL_APPROVAL: self.word,
            semconv.TOOL_APPROVAL_FROM: self.evidence,
        }
        return told | ({semconv.TOOL_APPROVAL_SOURCE: self.source} if self.source else {})


class _Words(NamedTuple):
    """What an agent's results say: of a call that was denied, and of one that could not run.

    Each denial is a beginning, something else that stands in it, and who denied. Some agents mark
    such results as errors; of the others, no tool's own result begins so.
    """

    denials: tuple[tuple[str, str, str], ...]
    never_ran: tuple[str, ...] = ()
    are_errors: bool = False


_WORDS = {
    "claude-code": _Words(
        (
            ("Claude requested permissions to ", "", "not_granted"),
            ("This Bash command contains multiple operations. ", "approval", "not_granted"),
            ("This command requires approval", "", "not_granted"),
            ("Permission to use ", " has been denied", "denied_by_rule"),
            ("The user doesn't want to ", "", "user_reject"),
            ("The agent proposed a plan that was rejected by the user", "", "user_reject"),
            ("Cannot ", " while in plan mode", "plan_mode"),
            ("PreToolUse:", " hook error: ", "hook"),
            ("", " was blocked. For security, Claude Code may only ", "denied_by_rule"),
        ),
        ("<tool_use_error>",),
        are_errors=True,
    ),
    "codex": _Words(
        (
            ("approval policy is ", "reject command", "policy"),
            ("patch rejected: ", "rejected by user approval settings", "policy"),
            ("patch rejected by user", "", "user_reject"),
            ("exec command rejected by user", "", "user_reject"),
            ("rejected by user", "", "user_reject"),
        ),
        ("unsupported call: ", "unsupported custom tool call: "),
    ),
    "gemini-cli": _Words((), ('Tool "',), are_errors=True),
    "opencode": _Words(
        (("The user rejected permission to use this specific tool call", "", "user_reject"),),
        ("The arguments provided to the tool are invalid: ",),
    ),
}  # fmt: skip


def from_result(agent: str, text: str, *, is_error: bool | None = True) -> Approval | None:
    """Return the denial that the result of a call tells; it tells nothing else."""
    words = _WORDS.get(agent)
    if words is None or (words.are_errors and not is_error):
        return None
    start = text[:2000].strip().removeprefix("Error: ")
    for beginning, within, source in words.denials:
        if start.startswith(beginning) and within in start:
            return Approval(DENIED, BY_RESULT, source)
    return None


def never_ran(agent: str, text: str) -> bool:
    """Tell whether a call could not run at all, so that nobody had to allow it."""
    words = _WORDS.get(agent)
    return words is not None and text.lstrip().startswith(words.never_ran or ("\0",))


def from_decision(decision: str, source: str) -> Approval | None:
    """Return what an agent's span says: its decision and its source; None where it does not."""
    known = "" if source == "unknown" else source
    if decision == "reject":
        return Approval(DENIED, BY_SPAN, known)
    if decision == "accept" and known:
        return Approval(AUTO if known in _BY_RULE else GRANTED, BY_SPAN, known)
    return None


class Approvals:
    """What is known of the approvals of one session.

    `mode` is what the agent was started with, for the calls that nobody was asked about; None where
    a person may have been asked. Then a call waits for what the agent says of it, if it `says` so
    at all: its span is on record meanwhile as a pending one.
    """

    def __init__(
        self, agent: str = "", mode: Approval | None = None, *, says: bool = False
    ) -> None:
        self._agent = agent
        self._mode = mode
        self._says = says and mode is None
        self._blocked: dict[str, tuple[str, str]] = {}
        self._calls: dict[str, str] = {}
        self._waiting: dict[str, tuple[Span, str | None]] = {}

    def add(self, span: otlp.Span) -> None:
        """Take note of a span that the agent sent of itself; they come in any order."""
        if span.name == _BLOCKED:
            told = decode_attributes(span.attributes)
            self._blocked[span.parent_span_id] = str(told.get("decision")), str(told.get("source"))
        elif span.name == _TOOL:
            told = decode_attributes(span.attributes)
            self._calls[str(told.get(semconv.TOOL_CALL_ID, ""))] = span.span_id

    def of(self, call_id: str, result: str | None, *, is_error: bool | None) -> Approval | None:
        """Return what is known of a tool call; `result` is None where none was seen."""
        told = self._told(call_id)
        said = from_decision(*told) if told else None
        if result is None:
            return said
        by_result = from_result(self._agent, result, is_error=is_error)
        if said is not None:
            return said._replace(source=said.source or (by_result.source if by_result else ""))
        if by_result is not None:
            return by_result
        return None if never_ran(self._agent, result) else self._mode

    def finish(self, span: Span, result: str | None, write: Callable[[Span], None]) -> bool:
        """Put on a tool call's span how it was allowed; False where that is not known yet.

        Then `write` gets it when it is, at the latest from `close`.
        """
        call_id = str(span.attributes.get(semconv.TOOL_CALL_ID, ""))
        if self._says and result is not None and self._told(call_id) is None:
            full = next(iter(self._waiting)) if len(self._waiting) >= _MOST else ""
            for leaving in filter(self._waiting.__contains__, (call_id, full)):
                self._release(leaving, write)
            self._waiting[call_id] = span, result
            return False
        self._decide(span, result)
        return True

    def look(self, write: Callable[[Span], None]) -> None:
        """Release what has waited for something that the agent has said since."""
        for call_id in [call_id for call_id in self._waiting if self._told(call_id)]:
            self._release(call_id, write)

    def close(self, write: Callable[[Span], None]) -> None:
        """Release all that waits."""
        for call_id in list(self._waiting):
            self._release(call_id, write)

    def _release(self, call_id: str, write: Callable[[Span], None]) -> None:
        span, result = self._waiting.pop(call_id)
        self._decide(span, result)
        write(span)

    def _told(self, call_id: str) -> tuple[str, str] | None:
        return self._blocked.get(self._calls.get(call_id, ""))

    def _decide(self, span: Span, result: str | None) -> None:
        flag = span.attributes.get(semconv.TOOL_IS_ERROR)
        is_error = flag if isinstance(flag, bool) else None
        call_id = str(span.attributes.get(semconv.TOOL_CALL_ID, ""))
        found = self.of(call_id, result, is_error=is_error)
        if found is not None:
            span.attributes.update(found.attributes())
