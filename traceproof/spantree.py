"""Which span belongs to which: calls under agents, tool calls under calls, commands under these.

Pure. `traceproof.view` draws it for people, `traceproof.trace` offers it to programs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from traceproof import spanfacts
from traceproof.recorder.span import Span
from traceproof.spanfacts import operation


class SpanTree:
    """The recorder's spans of one trace, by what they hang on, each kind in order of time."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = sorted(spans, key=lambda span: (span.start, span.end))
        self._by_parent: defaultdict[str, list[Span]] = defaultdict(list)
        self._by_chat: defaultdict[str, list[Span]] = defaultdict(list)
        for span in self.spans:
            self._by_parent[span.parent_id].append(span)
            for chat_id in spanfacts.requested_by(span):
                self._by_chat[chat_id].append(span)

    @property
    def root(self) -> Span | None:
        """The session's span, if it can be read."""
        return next(iter(self.children("", "invoke_agent")), None)

    def children(self, parent_id: str, kind: str) -> list[Span]:
        """Return the spans of one kind (`spanfacts.operation`) right under a span.

        Under the parent "" is the root.
        """
        return [span for span in self._by_parent[parent_id] if operation(span) == kind]

    def of(self, kind: str) -> list[Span]:
        """Return all spans of one kind."""
        return [span for span in self.spans if operation(span) == kind]

    def requested(self, chat_id: str) -> list[Span]:
        """Return the tool calls that a model call asked for."""
        return list(self._by_chat[chat_id])
