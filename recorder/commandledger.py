"""The ledger of shell commands: a span for each, under the tool call that asked for it.

A command's span is written once it has ended and where it belongs is settled; until then it is on
record as pending, with what is known. Where it belongs is `traceproof.recorder.commandjoin`'s
business, what is in its span `traceproof.recorder.shell.commandspan`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.commandjoin import CommandJoiner
from traceproof.recorder.openjoins import Join
from traceproof.recorder.shell.command import CommandEnd, CommandStart
from traceproof.recorder.shell.commandspan import command_span, finish, so_far
from traceproof.recorder.span import Span
from traceproof.recorder.steps import Steps


class Sink(Protocol):
    """Where spans go: `traceproof.recorder.session.SpanSink`."""

    def text(self, value: str) -> str:
        """Store a text and return the reference to it."""

    def span(self, span: Span) -> None:
        """Take a finished span."""

    def pending(self, span: Span) -> None:
        """Take a span in flight, as far as it is known."""


@dataclass(eq=False, slots=True)
class OpenCommand:
    """A command from its start until it is written; `known` is what came of it so far."""

    span: Span
    join: Join
    known: CommandEnd
    has_ended: bool = False
    is_told: bool = False
    """Whether all that it changed is on its span."""
    on_record: str = ""
    """The parent under which it is on record as pending."""


class CommandLedger:
    """The commands of a session.

    Args:
        sink: takes the spans.
        root: the session's span.
        agent_span: returns the span id of an agent by its id.
        joiner: knows where commands belong.
        steps: told when commands begin and end.
    """

    def __init__(
        self,
        sink: Sink,
        root: Span,
        agent_span: Callable[[str], str],
        joiner: CommandJoiner,
        steps: Steps | None,
    ) -> None:
        self._sink = sink
        self._root = root
        self._agent_span = agent_span
        self._joiner = joiner
        self._steps = steps
        self._open: dict[Join, OpenCommand] = {}

    def started(self, start: CommandStart, in_flight: Iterable[str]) -> OpenCommand:
        """Take a command that begins, while these model calls (by their spans) are in flight."""
        join = self._joiner.began(start, in_flight)
        span = command_span(
            start, self._sink.text, trace_id=self._root.trace_id, parent_id=self._root.span_id
        )
        command = self._open[join] = OpenCommand(span, join, CommandEnd())
        self.look(start.started)
        if self._steps is not None:
            self._steps.command_started(span, start)
        self._put_on_record(command)
        return command

    def going(self, command: OpenCommand, known: CommandEnd) -> None:
        """Put a command on record as far as it has come."""
        command.known = known
        if self._steps is not None:
            self._steps.command_going(command.span, known)
        self._put_on_record(command)

    def ended(self, command: OpenCommand, end: CommandEnd) -> None:
        """Take a command's end; it is written once it is settled where it belongs."""
        if command.has_ended:
            return
        command.known, command.has_ended = end, True
        outputs = [output.value for output in end.outputs.values()]
        command.join.end(max(end.ended, command.span.start), outputs)
        finish(command.span, end)
        if self._steps is not None:
            self._steps.command_ended(command.span, end)
        self.look(command.join.ended)
        if command.join in self._open and not command.is_told:
            self._put_on_record(command)

    def within(self, command: OpenCommand, spans: Iterable[Span]) -> None:
        """Write the spans of what ran in a command, under it: test runs."""
        for span in spans:
            span.trace_id = self._root.trace_id
            span.parent_id = span.parent_id or command.span.span_id
            self._sink.span(span)

    def place(self, now: int) -> None:
        """Find out where commands belong, and hang them there.

        Args:
            now: Unix time in nanoseconds.
        """
        if self._open:
            self._joiner.look(now)
        for command in self._open.values():
            self._place(command)

    def look(self, now: int) -> None:
        """Find out where commands belong, and write those that have ended and are settled and told.

        Args:
            now: Unix time in nanoseconds.
        """
        self.place(now)
        for command in list(self._open.values()):
            news = self._tell(command)
            if command.join.settled and command.is_told:
                del self._open[command.join]
                self._sink.span(command.span)
            elif news or command.on_record not in ("", command.span.parent_id):
                self._put_on_record(command)

    def close(self, now: int) -> None:
        """Write all that is left, as it is: the session is over."""
        self._joiner.close()
        for command in list(self._open.values()):
            if not command.has_ended:
                known = msgspec.structs.replace(
                    command.known, ended=command.known.ended or now, state="running"
                )
                self.ended(command, known)
        self.look(now)

    def _tell(self, command: OpenCommand) -> bool:
        """Have it put on an ended command's span what it changed; returns whether that is new."""
        if not command.has_ended or command.is_told:
            return False
        command.is_told = self._steps is None or self._steps.command_told(command.span)
        return command.is_told

    def _place(self, command: OpenCommand) -> None:
        """Hang a command where it belongs as far as that is known, and say how that is known."""
        join, attributes = command.join, command.span.attributes
        for name in (semconv.JOIN, semconv.COMMAND_FOR):
            attributes.pop(name, None)
        if join.place is not None:
            command.span.parent_id = join.place.span_id
            attributes[semconv.JOIN], attributes[semconv.COMMAND_FOR] = join.how, "tool"
            return
        agent_id = self._joiner.agent_of(join.start) or ""
        command.span.parent_id = self._agent_span(agent_id) or self._root.span_id
        if join.settled:
            attributes[semconv.COMMAND_FOR] = "agent"

    def _put_on_record(self, command: OpenCommand) -> None:
        if command.join not in self._open:
            return
        command.on_record = command.span.parent_id
        if command.has_ended:
            self._sink.pending(command.span)
        else:
            self._sink.pending(so_far(command.span, command.known))
