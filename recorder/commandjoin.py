"""Joins shell commands to the tool calls that asked for them: by what the agent says, else by text.

Sans-io: it is told what was asked and what began, in whatever order, and says where a command
belongs as far as that is known. No span is made or written here.

A command may begin before its tool call is known: an agent runs what it reads, and the recorder is
told later. So what was in flight when it began is waited for before anything is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from traceproof.recorder import tracecontext
from traceproof.recorder.agentspans import AgentSpans
from traceproof.recorder.commandtext import Fit, Script, wanted
from traceproof.recorder.openjoins import AskedTool, Join, Place, in_order, tells
from traceproof.recorder.shell.command import CommandStart
from traceproof.recorder.toolcalls import OpenTool

CALL_ID = "CODEX_TOOL_CALL_ID"
"""Codex names the tool call in the environment of a command."""

THREAD_ID = "CODEX_THREAD_ID"
TRACE_PARENT = "TRACEPARENT"
_INTERNAL = "exec-"
"""How Codex's ids begin that the model never sees: of commands in a program (code mode)."""

_PATIENCE = 30_000_000_000
"""Nanoseconds after a command's end in which the agent's own spans may still come."""


class CommandJoiner:
    """Knows the tool calls of a session, and the commands that are not settled.

    Args:
        root_span_id: the session's span: a command that names it was started by no tool call.
        agent_spans: what the agent's own spans say.
        find: returns the tool call of an id, None where none or more than one had it.
    """

    def __init__(
        self, root_span_id: str, agent_spans: AgentSpans, find: Callable[[str], Place | None]
    ) -> None:
        self._root_span_id = root_span_id
        self._agent_spans = agent_spans
        self._find = find
        self._tools: dict[str, AskedTool] = {}
        self._last_program: dict[str, Place] = {}
        self._open: list[Join] = []
        self._threads: dict[str, str] = {}

    # --- what is told -----------------------------------------------------------------------------

    def thread(self, thread_id: str, agent_id: str) -> None:
        """Learn what an agent calls itself in the environment of its commands."""
        if thread_id:
            self._threads[thread_id] = agent_id

    def asked(self, tool: OpenTool) -> None:
        """Learn of a tool call."""
        place = Place(tool.span.span_id, tool.asker.agent_id)
        known = AskedTool(place, tool.request.call_id, tool.chat_span_id, wanted(tool.request))
        self._tools[place.span_id] = known
        if known.wanted.program:
            self._last_program[place.agent_id] = place

    def answered(self, tool: OpenTool, result: str = "") -> None:
        """Learn that a tool call is over; commands that began before may still turn out its own."""
        known = self._tools.get(tool.span.span_id)
        if known is not None:
            known.over, known.result = True, result

    def call_ended(self, span_id: str) -> None:
        """Learn that a model call is over, after what it asked for."""
        for join in self._open:
            join.waits_for.discard(span_id)

    def began(self, start: CommandStart, in_flight: Iterable[str]) -> Join:
        """Take a command that begins, while these model calls (by their spans) are in flight."""
        open_tools = frozenset(span_id for span_id, tool in self._tools.items() if not tool.over)
        askers = frozenset(in_flight)
        named = self._agent_span(start)
        join = Join(start, Script(start.script), askers, open_tools, set(askers), named)
        self._open.append(join)
        return join

    def agent_of(self, start: CommandStart) -> str | None:
        """Return the id of the agent that started a command, None where it does not say."""
        return self._threads.get(start.environment.get(THREAD_ID, ""))

    # --- what follows from it ---------------------------------------------------------------------

    def look(self, now: int) -> list[Join]:
        """Find out what can be; return what is settled by it.

        What was given before and is not sure is given anew: more may be known by now.

        Args:
            now: Unix time in nanoseconds; what has waited for too long by then is settled as it is.
        """
        open_ = [join for join in self._open if not self._named(join)]
        for join in open_:
            if not join.is_sure:
                self._give_back(join)
        self._infer([join for join in open_ if join.place is None])
        for join in open_:
            join.settled = self._is_firm(join, now)
        settled = [join for join in self._open if join.settled]
        self._open = [join for join in open_ if not join.settled]
        for join in settled:
            if join.how == "inferred" and join.place and join.place.span_id in self._tools:
                self._tools[join.place.span_id].firm[join.text] += 1
        self._forget()
        return settled

    def close(self) -> list[Join]:
        """Settle what is left, as it is: the session is over."""
        settled = [*self.look(0), *self._open]
        for join in settled:
            join.settled = True
        self._open = []
        return settled

    # --- by what the agent says -------------------------------------------------------------------

    def _named(self, join: Join) -> bool:
        """Settle a command whose tool call the agent itself names, if that is known by now."""
        call_id = join.start.environment.get(CALL_ID, "")
        if not call_id and join.agent_span:
            call_id = self._agent_spans.tool_call(join.agent_span)
        place = self._by_id(call_id, join) if call_id else None
        if place is None:
            return False
        self._give_back(join)
        tool = self._tools.get(place.span_id)
        if tool is not None:
            text = join.fit_with(tool)[1]
            self._clear(tool, text)
            tool.taken[text] += 1
            tool.firm[text] += 1
        join.place, join.how, join.settled = place, "exact", True
        return True

    def _clear(self, tool: AskedTool, text: str) -> None:
        """Take a text of a tool call from the command that it was given to, as far as was known."""
        if tool.taken[text] >= tool.wanted.room(text):
            for join in self._open:
                if join.place == tool.place and join.text == text and join.how == "inferred":
                    self._give_back(join)
                    return

    def _agent_span(self, start: CommandStart) -> str:
        header = start.environment.get(TRACE_PARENT, "")
        named = tracecontext.parse(header) if header else None
        return named.span_id if named and named.span_id != self._root_span_id else ""

    def _by_id(self, call_id: str, join: Join) -> Place | None:
        """Find the tool call of an id; of several, the one that was open when the command began."""
        known = self._find(call_id)
        if known is not None:
            return known
        candidates = [tool for tool in self._candidates(join) if tool.call_id == call_id]
        return candidates[0].place if len(candidates) == 1 else None

    def _is_firm(self, join: Join, now: int) -> bool:
        """Tell whether nothing is to come any more that could change where a command belongs."""
        if join.agent_span and not 0 < join.ended < now - _PATIENCE:
            return False
        tool = self._tools.get(join.place.span_id) if join.place else None
        if tool is None or join.is_sure:
            return not join.waits_for
        return not join.waits_for and tool.over and bool(join.ended or not join.ambiguous)

    # --- by text and time -------------------------------------------------------------------------

    def _infer(self, joins: list[Join]) -> None:
        """Give each command the oldest tool call that asked for it: the surest ones first."""
        joins = in_order(joins)
        for fit in (Fit.EQUAL, Fit.WRAPPED, Fit.WITHIN):
            for join in joins:
                if join.place is None:
                    self._try(join, fit)
        for join in joins:
            if join.place is None:
                self._by_time(join)

    def _give_back(self, join: Join) -> None:
        tool = self._tools.get(join.place.span_id) if join.place else None
        if tool is not None:
            tool.taken[join.text] -= 1
        join.place, join.how, join.fit, join.text = None, "", Fit.NONE, ""
        join.ambiguous = False

    def _try(self, join: Join, fit: Fit) -> None:
        found = [(tool, *join.fit_with(tool)) for tool in self._candidates(join)]
        free = [
            (tool, text)
            for tool, how, text in found
            if how is fit and tool.taken[text] < tool.wanted.room(text)
        ]
        if not free:
            return
        # the first of the longest: `make test` stands within what asks for `make test-all` too
        tool, text = max(free, key=lambda each: (tells(each[0], join), len(each[1])))
        tool.taken[text] += 1
        others = [
            each
            for each, how, text in found
            if how is fit and each.firm[text] < each.wanted.room(text)
        ]
        join.ambiguous = len(others) > 1
        join.place, join.how, join.fit, join.text = tool.place, "inferred", fit, text

    def _by_time(self, join: Join) -> None:
        """Give a command the last program: Codex says that one of them asked, and not which."""
        if join.start.environment.get(CALL_ID, "").startswith(_INTERNAL):
            place = self._last_program.get(self.agent_of(join.start) or "")
            join.place, join.how = place, "inferred" if place else ""

    def _candidates(self, join: Join) -> list[AskedTool]:
        """Return the tool calls that may have asked for a command, oldest first."""
        whose = self.agent_of(join.start)
        return [
            tool
            for span_id, tool in self._tools.items()
            if (span_id in join.open_tools or tool.chat_span_id in join.askers)
            and whose in (None, tool.place.agent_id)
        ]

    def _forget(self) -> None:
        """Drop the calls that are over, unless a command waits that may be theirs."""
        over = [tool for tool in self._tools.values() if tool.over]
        for tool in over:
            span_id, chat = tool.place.span_id, tool.chat_span_id
            if not any(span_id in join.open_tools or chat in join.askers for join in self._open):
                del self._tools[span_id]
