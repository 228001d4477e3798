"""What a session tells whoever watches the workspace: the moments at which it may have changed.

The session calls these, all on the recorder's thread, and knows nothing of files. Who watches is
`traceproof.recorder.workspace`; a session without a workspace has no steps at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from traceproof.recorder.calls import CallRequest
from traceproof.recorder.span import Span
from traceproof.recorder.toolcalls import OpenTool


class Moment(Protocol):
    """How a command began: of `traceproof.recorder.shell.CommandStart` this is what counts here."""

    @property
    def started(self) -> int:
        """When, in Unix nanoseconds."""


class Ending(Protocol):
    """How a command ended, in the same way."""

    @property
    def ended(self) -> int:
        """When, in Unix nanoseconds; 0 where that is not known."""


class Steps(Protocol):
    """Follows a session step by step. No method raises, whatever the workspace is like.

    The order is the session's: `begin`, then the rest as it happens, then `close`, and after it
    `tool_ended`, or `command_ended` and `command_told`, once for each that was still open.
    """

    def begin(self, root: Span, put_on_record: Callable[[], None]) -> None:
        """Look at the workspace for the first time, before the agent does anything.

        `root` gets events and attributes from here on; `put_on_record` writes it as pending.
        """

    def model_asked(self, request: CallRequest) -> None:
        """Look: a request is whole, and no tool that it answers goes on.

        To be called before results are taken from the request and their calls are written.
        """

    def streaming(self) -> None:
        """Look if that is cheap: an answer is coming in; called about twice a second."""

    def answered(self, tools: Sequence[OpenTool], ended: int) -> None:
        """Look: an answer ended at `ended` (Unix ns), and these are the calls it asked for.

        To be called for every answer of every agent, with none if it asked for none; not for side
        calls that asked for none.
        """

    def tool_ended(self, tool: OpenTool) -> None:
        """Put on a tool call's span what it changed; to be called before the span is written."""

    def command_started(self, span: Span, start: Moment) -> None:
        """Look: a shell command waits to begin, or has just begun."""

    def command_going(self, span: Span, end: Ending) -> None:
        """Look: a command's shell ended, and something that it started goes on."""

    def command_ended(self, span: Span, end: Ending) -> None:
        """Look: a command has ended, and nothing that it started goes on."""

    def command_told(self, span: Span) -> bool:
        """Put on an ended command's span what it changed; False where only a later look will tell.

        To be called until it is true, and then no more; the span is not written before.
        """

    def close(self, root: Span) -> None:
        """Look for the last time and put on the root span what changed from start to end.

        To be called first of all when a session closes. Nothing is left on the disk after it.
        """
