"""Watches a workspace while a session goes on: looks at each step, and says whose each change is.

This is `traceproof.recorder.steps.Steps`. It is told what begins and ends, looks when that is due,
and puts events on the spans that changed something. It reads no files itself.

It may be told late, when much is being recorded: the agent does not wait. So each look is for a
moment, and what left its mark on the disk after that moment waits for the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest
from traceproof.recorder.span import Event, Span
from traceproof.recorder.steps import Ending, Moment
from traceproof.recorder.toolcalls import OpenTool
from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.contents import Learn
from traceproof.recorder.workspace.credit import (
    HUMAN,
    UNKNOWN,
    Call,
    Command,
    Owner,
    share_out,
)
from traceproof.recorder.workspace.events import Store, make_event, store_diff
from traceproof.recorder.workspace.lookout import Lookout, Place
from traceproof.recorder.workspace.named import may_change, named_paths

START = "start"
"""How the first event on the root came about."""

_DEAR = 0.25
"""Seconds: a look that takes longer is taken only where it cannot be done without."""

_CHEAP = 0.1
"""Seconds that a look may take which only makes a window smaller."""

_PAUSE = 1.0
"""Seconds between such looks."""

_SHARE = 2.0
"""How much longer than the last look took must pass before one that can be done without."""

_GROWTH = 1.25

_LATE = 1_000_000_000
"""Nanoseconds by which the recorder may be late: younger changes wait while an answer comes in."""

_END = 1 << 63


def _always(_since: int) -> bool:
    return True


def _learn_nothing(_path: str, _data: bytes) -> None:
    """Learn nothing."""


class Watcher:
    """Follows one session in one workspace; for one thread."""

    def __init__(
        self,
        place: Place,
        store: Store,
        *,
        learn: Learn = _learn_nothing,
        consents: Callable[[int], bool] = _always,
    ) -> None:
        """Begin nothing yet.

        Args:
            place: the workspace.
            store: where contents go, which masks them: the trace's writer.
            learn: is shown each file before it is stored, to make its secrets known.
            consents: whether what happened from a moment (Unix ns) until now may be recorded; no
                look is taken while not.
        """
        self._place = place
        self._store = store
        self._consents = consents
        self._lookout = Lookout(place, store, learn)
        self._root: Span | None = None
        self._put_on_record: Callable[[], None] = lambda: None
        self._number = 0
        self._recorded = 0
        self._looked = 0.0
        self._answered = self._awaiting = False
        self._begun = self._paused = self._closed = False
        self._seen = 0
        """When the last look began, in Unix nanoseconds."""
        self._calls: dict[str, Call] = {}
        self._commands: dict[str, Command] = {}
        self._spans: dict[str, Span] = {}
        """Of commands: which call they are under may become known later."""
        self._trees: dict[str, str] = {}
        """Of commands that ended and that a look has come after: the tree then."""
        self._events: dict[str, list[Event]] = {}
        self._tree = ""

    # --- what the session tells -------------------------------------------------------------------

    def begin(self, root: Span, put_on_record: Callable[[], None]) -> None:
        """Look at the workspace for the first time, on a thread of its own."""
        self._root, self._put_on_record = root, put_on_record
        if self._consents(time.time_ns()):
            self._lookout.begin()
            self._begun, self._seen = True, time.time_ns()

    def model_asked(self, request: CallRequest) -> None:
        """Look: the tools whose results this carries have ended."""
        if request.purpose == "main":
            last = request.messages[-1] if request.messages else None
            prompted = last is not None and bool(last.prompt) and self._answered
            self._awaiting = False
            self._look(request.started, HUMAN if prompted else UNKNOWN)
            self._awaiting = True

    def streaming(self) -> None:
        """Look if that is cheap, so that little goes unseen until the answer's end."""
        if self._lookout.cost < _CHEAP and time.monotonic() - self._looked > _PAUSE:
            self._look(time.time_ns() - _LATE)

    def answered(self, tools: Sequence[OpenTool], ended: int) -> None:
        """Look, and take note of the calls that were asked for."""
        self._answered, self._awaiting = True, False
        for tool in tools:  # some agents begin before the answer has ended
            self._calls[tool.span.span_id] = self._call(tool, ended)
            self._events.setdefault(tool.span.span_id, [])
        if tools and self._affordable():
            self._look(ended)

    def tool_ended(self, tool: OpenTool) -> None:
        """Put on a call's span what it changed."""
        self._calls.pop(tool.span.span_id, None)
        self._finish(tool.span, self._tree)

    def command_started(self, span: Span, start: Moment) -> None:
        """Look, and take note of a command."""
        if self._affordable():
            self._look(start.started, sure=not self._awaiting)
        parent = span.parent_id if span.parent_id in self._calls else ""
        self._commands[span.span_id] = Command(span.span_id, parent, start.started)
        self._spans[span.span_id] = span
        self._events.setdefault(span.span_id, [])

    def command_going(self, span: Span, end: Ending) -> None:
        """Look: what a command left behind goes on."""
        command = self._commands.get(span.span_id)
        if command is not None and end.ended and not command.goes_on:
            self._end_command(command, end)
            command.goes_on = True

    def command_ended(self, span: Span, end: Ending) -> None:
        """Look, if that is not too dear just now."""
        command = self._commands.get(span.span_id)
        if command is not None and not command.goes_on:
            self._end_command(command, end)

    def command_told(self, span: Span) -> bool:
        """Put on a command's span what it changed, once a look has come after its end."""
        if span.span_id not in self._trees and not self._closed:
            return False
        self._commands.pop(span.span_id, None)
        self._spans.pop(span.span_id, None)
        self._finish(span, self._trees.pop(span.span_id, self._tree))
        return True

    def close(self, root: Span) -> None:
        """Look for the last time, and say what changed from start to end."""
        self._root, self._awaiting = root, False
        self._look(_END)
        self._closed = True
        if self._consents(time.time_ns()):
            diff = self._lookout.final_diff()
            if diff:
                root.attributes[semconv.REF + semconv.WORKSPACE_DIFF] = store_diff(
                    self._store, diff
                )
        self._lookout.close()
        if self._tree:
            root.attributes[semconv.TREE_END] = self._tree
        if self._lookout.problems:
            root.attributes[semconv.SNAPSHOT_PROBLEM] = list(self._lookout.problems)

    # --- what the recording tells -----------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Wait until the first look has ended, up to some seconds."""
        self._lookout.wait(seconds)

    def forget(self) -> None:
        """Look no more, and remove at once what is on the disk beside the trace."""
        self._lookout.forget()

    def discard(self) -> None:
        """End it where there is no session after all; nothing is left on the disk."""
        self._lookout.close()

    # --- looking ----------------------------------------------------------------------------------

    def _affordable(self) -> bool:
        """Tell whether a look may be taken that only tells more exactly whose a change is."""
        cost = self._lookout.cost
        return cost < _DEAR and time.monotonic() - self._looked > _SHARE * cost

    def _look(self, until: int, visitor: str = UNKNOWN, *, sure: bool = True) -> None:
        """Look, and write down what changed up to a moment (Unix ns).

        `sure` says that what no known call did is external: none can be in an answer to come.
        """
        now = time.time_ns()
        if not self._consents(now):
            self._paused = True
            return
        if self._seen and not self._consents(self._seen):
            self._paused = True  # there was a pause, and it was over before this look
        if not self._begun:
            self._begun = True
            self._lookout.begin()
        self._start()
        self._seen = now
        self._take(until, visitor, sure)  # before a later change of the same file replaces it
        self._lookout.look()
        self._looked = time.monotonic()
        self._take(until, visitor, sure)
        self._note_seen(until)
        self._paused = False

    def _take(self, until: int, visitor: str, sure: bool) -> None:
        changes = [change for change in self._lookout.pending if change.when <= until]
        if self._paused:
            if changes:
                self._write(Owner(actor=UNKNOWN), changes, paused=True)
            return
        for command in self._commands.values():
            self._tie(command)
        calls, commands = list(self._calls.values()), list(self._commands.values())
        for share in share_out(changes, calls, commands, visitor=visitor):
            if not self._waits(share.owner, sure):
                self._write(share.owner, share.changes)

    def _note_seen(self, until: int) -> None:
        """Take note of the commands of which a look up to a moment has told all there is.

        Not of one under no call while an answer is awaited: what it did could as well be of a call
        in that answer, for an agent may begin with a call before its answer is known here.
        """
        for command in self._commands.values():
            decided = command.tool or not self._awaiting
            if decided and 0 < command.ended <= until:
                self._trees.setdefault(command.span_id, self._tree)

    def _waits(self, owner: Owner, sure: bool) -> bool:
        """Tell whether it is too early to say whose a change is: the coming answer may tell."""
        found = [self._commands.get(span_id) for span_id in owner.spans]
        loose = all(command is not None and not command.tool for command in found)
        return (self._awaiting and bool(found) and loose) or not (sure or found)

    def _start(self) -> None:
        """Write down how the workspace was before the agent did anything."""
        root, found = self._root, self._lookout.start()
        if root is None or found is None:
            return
        base, hashes = found.base, found.hashes
        root.attributes[semconv.WORKSPACE_ROOT] = base.root
        root.attributes[semconv.WORKSPACE_RULE] = base.policy.rule
        root.attributes[semconv.WORKSPACE_HASH] = base.algorithm
        if base.commit:
            root.attributes[semconv.WORKSPACE_COMMIT] = base.commit
        root.attributes[semconv.TREE_START] = self._tree = hashes.after
        event = make_event(found.changes, Owner(by=START), hashes, self._store, self._number)
        event.time = root.start
        self._add_to_root(event)

    def _write(self, owner: Owner, changes: list[Change], *, paused: bool = False) -> None:
        """Take changes into the tree and put the event where it belongs."""
        hashes = self._lookout.take(changes)
        self._tree = hashes.after
        self._number += 1
        event = make_event(changes, owner, hashes, self._store, self._number)
        if paused:
            event.attributes[semconv.SNAPSHOT_PAUSED] = True
        diff = self._lookout.diff(changes)
        if diff:
            reference = store_diff(self._store, diff)
            event.attributes[semconv.REF + semconv.SNAPSHOT_DIFF] = reference
        events = self._events[owner.spans[0]] if owner.spans else None
        if events is None:
            self._add_to_root(event)
        else:
            events.append(event)

    def _add_to_root(self, event: Event) -> None:
        if self._root is None:
            return
        self._root.events.append(event)
        if len(self._root.events) >= self._recorded * _GROWTH:
            self._recorded = len(self._root.events)
            self._put_on_record()

    def _finish(self, span: Span, tree: str) -> None:
        span.events.extend(self._events.pop(span.span_id, ()))
        if tree:
            span.attributes[semconv.TREE_AFTER] = tree

    # --- calls and commands -----------------------------------------------------------------------

    def _call(self, tool: OpenTool, ended: int) -> Call:
        request = tool.request
        paths = named_paths(request.arguments, self._lookout.base.root, str(self._place.folder))
        return Call(tool.span.span_id, ended, paths, may_change(request.name))

    def _end_command(self, command: Command, end: Ending) -> None:
        command.ended = end.ended or time.time_ns()
        if self._affordable():
            self._look(command.ended, sure=not self._awaiting)

    def _tie(self, command: Command) -> None:
        """Find out again which open call a command is under."""
        parent = self._spans[command.span_id].parent_id
        command.tool = parent if parent in self._calls else command.tool
