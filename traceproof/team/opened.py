"""One session of a shared proxy: its trace file, from its first call to its close."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from traceproof.proxy.intake import IntakeContext
from traceproof.proxy.team.joining import Joined, Key
from traceproof.proxy.team.users import TOKEN_RULE
from traceproof.recorder import semconv
from traceproof.recorder.approvals import Approvals
from traceproof.recorder.consent import Control, State
from traceproof.recorder.flushtimer import TimerThread
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.secrets import Secret
from traceproof.recorder.session import Session
from traceproof.recorder.span import Attributes, Link, Span, new_span_id, new_trace_id
from traceproof.recorder.task import Task
from traceproof.recorder.writer import TraceWriter
from traceproof.rootspan import leave_marker, name_task
from traceproof.team.settings import TeamSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opening:
    """What all sessions of a proxy are opened with."""

    settings: TeamSettings
    resource: Attributes
    timers: TimerThread
    on_problem: Callable[[OSError], None]


class Opened:
    """A session under way.

    `calls` are those in flight, `used` is when it was last heard of, and `ended` when its last call
    ended (Unix nanoseconds).
    """

    def __init__(
        self,
        opening: Opening,
        joined: Joined,
        started: int,
        known: Iterable[Secret],
        earlier: Link | None,
    ) -> None:
        """Create the trace file, with `earlier` as the link to what the session was before.

        Raises:
            OSError: the store cannot be written.
        """
        settings, agent = opening.settings, joined.agent
        self.key = joined.key
        self.calls = 0
        self.used = 0.0
        self.ended = started
        self.resting = False
        self._resource = opening.resource
        self._redactor = Redactor((TOKEN_RULE, *(PATTERNS if settings.patterns else ())))
        self._redactor.add_all(known)
        trace_id = new_trace_id()
        self._control = Control(settings.store.path, trace_id, agent=agent.name, started=started)
        try:
            self.writer = TraceWriter(
                settings.store.new_trace_path(started, agent.name, trace_id),
                resource=opening.resource,
                mask=self._redactor.mask,
                compact=True,
                timers=opening.timers,
                on_problem=opening.on_problem,
            )
        except OSError:
            self._control.close()
            raise
        root = Span(trace_id, new_span_id(), f"invoke_agent {agent.name}", start=started)
        root.attributes = _attributes(settings, self.key, agent.name)
        root.links = [earlier] if earlier else []
        session = Session(
            self.writer,
            root,
            agent_id_in_result=agent.sub_agent_id,
            approvals=Approvals(agent.name),  # nobody knows here how it was started
        )
        self.writer.flush()  # so that no trace is empty
        self.context = IntakeContext(self.writer, session, self._redactor, agent)

    @property
    def state(self) -> State:
        """Whether it may be recorded."""
        return self._control.state()

    @property
    def link(self) -> Link:
        """What a later file of the same session points at."""
        root = self.context.session.root
        return Link(root.trace_id, root.span_id, {semconv.LINK_TYPE: "continues"})

    def consents(self, start: int, end: int) -> bool:
        """Tell whether what happened between two moments may be kept; forget all if excluded."""
        if self.state is State.EXCLUDED:
            self.writer.path.unlink(missing_ok=True)
        return self._control.covers(start, end)

    def rest(self) -> None:
        """Give memory back, if nothing has come for a while."""
        if not self.resting:
            self.writer.rest()
            self.resting = True

    def end(self) -> None:
        """Write what is still to be written, on the recorder's thread."""
        root = self.context.session.root
        root.events += self._control.events()
        name_task(root)
        if self.writer.lost:
            root.attributes[semconv.RECORDING_LOST] = [f"{self.writer.lost} spans were dropped"]
        self.context.session.close(self.ended)

    def close(self) -> bool:
        """Close the file after `end`, on any thread; False where not all of it could be written.

        It waits for the disk.
        """
        try:
            whole = self.writer.close()
            if self.state is State.EXCLUDED:
                root = self.context.session.root
                leave_marker(self.writer.path, root, self._resource, self._redactor.mask)
        finally:
            self._control.close()
        if not whole:
            log.warning("%s: not whole: %s", self.writer.path, self.writer.problem)
        return whole


def _attributes(settings: TeamSettings, key: Key, agent: str) -> Attributes:
    """Return what is known of a session when it begins."""
    given_by = key.user or "whoever reaches the proxy"
    attributes: Attributes = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: agent,
        semconv.ORIGIN: "recorded",
        semconv.CONSENT: {"given_by": given_by, "how": "sent through traceproof proxy"},
        semconv.RECORDING_MODE: settings.mode,
        semconv.SESSION_JOIN: key.join,
        **Task(scenario=settings.scenario).attributes(),
    }
    if key.user:
        attributes[semconv.USER_NAME] = key.user
    if key.join == "exact":
        attributes[semconv.CONVERSATION_ID] = key.name
    return attributes
