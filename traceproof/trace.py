"""A trace from code: `traceproof.open_trace(path)`, for notebooks and training jobs.

Nothing of the content is read before it is asked for. Any thread may use a `Trace`, and so may a
process that was forked; pickled, it is its path, and is opened anew where it arrives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from traceproof import spanfacts
from traceproof.content import Content
from traceproof.recorder import semconv
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.span import Span
from traceproof.shellcommands import Command
from traceproof.spanobjects import Message, Prompt, Usage, moment, usage_of
from traceproof.spantree import SpanTree
from traceproof.turns import Agent, Turn


def open_trace(path: str | PathLike[str]) -> Trace:
    """Open a trace file for reading; use it as a context manager, or close it.

    A file that is still being written, or was cut off, is read as far as it goes: `Trace.problems`
    says what is missing.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no trace, nothing of it can be read, or its format is newer than this.
    """
    return Trace(Path(path))


class Trace:
    """One session of one agent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = Content(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the path alone."""
        return open_trace, (self.path,)

    def __repr__(self) -> str:
        return f"<Trace {str(self.path)!r}>"

    def close(self) -> None:
        """Close the file; what was read before stays usable."""
        self.content.close()

    # --- the session ------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The trace id, 32 hex digits."""
        return self._root.trace_id

    @property
    def agent(self) -> Agent:
        """The main agent."""
        return Agent(self, self._root)

    @property
    def started(self) -> datetime:
        """When the session began, in UTC."""
        return self.agent.started

    @property
    def ended(self) -> datetime | None:
        """When it ended; None while it has not, or where its end was lost."""
        return None if self.agent.is_pending else moment(self._root.end)

    @property
    def duration(self) -> float | None:
        """Seconds it took; None where its end is not known."""
        return self.agent.duration

    @property
    def exit_code(self) -> int | None:
        """The agent's exit code; None where its end is not known."""
        code = self._root.attributes.get(semconv.PROCESS_EXIT_CODE)
        return code if isinstance(code, int) else None

    @property
    def prompts(self) -> list[Prompt]:
        """What a person said to the main agent."""
        return self.agent.prompts

    @property
    def task(self) -> dict[str, Any]:
        """The task, by the ends of the attributes' names: `id`, `type`, `attempt`, and so on.

        `contract` is decoded: goal, acceptance, and what else was agreed.
        """
        prefix = "traceproof.task."
        told = self.content.with_only(self._root, semconv.TASK_CONTRACT)
        found: dict[str, Any] = {
            name.removeprefix(prefix): value
            for name, value in told.attributes.items()
            if name.startswith(prefix)
        }
        if "contract" in found:
            found["contract"] = msgspec.json.decode(found["contract"])
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """All attributes of the session's span by their full names, content read."""
        return dict(self.agent.span().attributes)

    @property
    def format_version(self) -> int:
        """The version of the file's format."""
        return self.content.format_version

    @property
    def problems(self) -> list[str]:
        """What could not be read so far, a line each; empty for a whole file."""
        return self.content.problems()

    # --- what happened ----------------------------------------------------------------------------

    def turns(self) -> Iterator[Turn]:
        """Yield the main agent's turns: calls that were answered in full and were no side calls."""
        return self.agent.turns()

    def calls(self) -> Iterator[Turn]:
        """Yield all model calls of all agents, failed ones and side calls too, in order of time."""
        return (Turn(self, span) for span in self.tree.of("chat"))

    def commands(self) -> Iterator[Command]:
        """Yield all shell commands, the agents' own too, in order of time."""
        return (Command(self, span) for span in self.tree.of(spanfacts.COMMAND))

    def agents(self) -> list[Agent]:
        """Return all agents, the main one first."""
        main = self._root.span_id
        others = (span for span in self.tree.of("invoke_agent") if span.span_id != main)
        return [self.agent, *(Agent(self, span) for span in others)]

    def conversation(self) -> list[Message]:
        """Return the main agent's conversation as it stood at the end.

        An agent that compacts its history begins anew then: `Turn.input` has what each call saw.
        """
        return self.agent.conversation()

    @property
    def usage(self) -> Usage:
        """Tokens of all calls of all agents together."""
        known = [usage for usage in map(usage_of, self.tree.of("chat")) if usage is not None]
        return Usage(
            *(sum(getattr(usage, name) for usage in known) for name in Usage.__struct_fields__)
        )

    @property
    def cost(self) -> float | None:
        """US dollars at list price; None where the price of any call is not known."""
        chats = self.tree.of("chat")
        return spanfacts.sum_costs(
            [spanfacts.cost(span) for span in chats if spanfacts.tokens_of(span) is not None]
        )

    def spans(self, *, inline: bool = True) -> Iterator[Record]:
        """Yield every span with who made it, the agent's own too, in the order of the file.

        With `inline` all content stands in them: one span at a time is in memory.
        """
        with TraceReader.open(self.path) as reader:
            yield from reader.records(inline=inline)

    # --- for its parts ----------------------------------------------------------------------------

    @cached_property
    def _records(self) -> list[Record]:
        return [record for record in self.content.records() if not record.from_agent]

    @cached_property
    def tree(self) -> SpanTree:
        """Which span belongs to which."""
        return SpanTree(record.span for record in self._records)

    @cached_property
    def pending(self) -> frozenset[str]:
        """The ids of the spans that never ended."""
        found = {record.span.span_id for record in self._records if record.pending}
        return frozenset(found if self.tree.root else {*found, self._root.span_id})

    @cached_property
    def _root(self) -> Span:
        """The session's span; where it was lost, one that knows no more than its id."""
        root = self.tree.root
        if root is not None:
            return root
        known = {span.span_id for span in self.tree.spans}
        parents = Counter(s.parent_id for s in self.tree.spans if s.parent_id not in known)
        first = next(iter(self.tree.spans), Span("", "", ""))
        span_id = next((span_id for span_id, _ in parents.most_common(1)), "")
        return Span(first.trace_id, span_id, "invoke_agent", start=first.start)
