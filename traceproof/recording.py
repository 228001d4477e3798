"""One recording: the trace, the proxy, the receiver and the agent, from start to end.

Everything here is order: what must be there before what, and what is closed after what. If
recording cannot begin, the agent runs all the same unless the user asked otherwise.
"""

from __future__ import annotations

import logging
import signal
import time

from traceproof import transcripts
from traceproof.exits import ENVIRONMENT
from traceproof.machine import Machine
from traceproof.mcpservers import McpServers
from traceproof.network import Network, open_network
from traceproof.outcome import Outcome
from traceproof.proxy.capture import Capture
from traceproof.proxy.intake import IntakeContext
from traceproof.recorder import approvalmodes, otlp, repository, semconv
from traceproof.recorder.agents import LaunchContext
from traceproof.recorder.consent import Control, State
from traceproof.recorder.launch import Child, launch
from traceproof.recorder.mcp.peer import McpContext
from traceproof.recorder.namespaces import Entry
from traceproof.recorder.receiver import Receiver
from traceproof.recorder.session import Session
from traceproof.recorder.shell.running import ShellContext
from traceproof.recorder.span import decode_attributes, decode_span, new_trace_id
from traceproof.recorder.store import SUFFIX
from traceproof.recorder.writer import TraceWriter
from traceproof.recordlog import open_log
from traceproof.resource import resource
from traceproof.rootspan import leave_marker, name_task, root_span
from traceproof.secretsources import learn_untracked, new_redactor
from traceproof.settings import Settings
from traceproof.unrecorded import line, run_unrecorded
from traceproof.watching import new_watcher

_GRACE = 3.0
"""Seconds that calls under way get to end after the agent has."""

_FIRST_LOOK = 3.0
"""Seconds that the agent waits for the first look at its workspace; a large one takes longer."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = logging.getLogger(__name__)


def record(settings: Settings) -> Outcome:
    """Run the agent and record it.

    Raises:
        OSError: the agent cannot be started; or the port is taken; or the recording cannot begin
            and `on_failure` is closed.
        ValueError: an option is wrong, or the store's certificate authority is.
    """
    try:
        recording = _begin(settings, time.time_ns())
    except OSError as error:
        return run_unrecorded(settings, error)
    try:
        child = launch(recording.command(), recording.environment(), recording.entry)
        recording.started(child)
    except BaseException:
        recording.discard()
        raise
    code = ENVIRONMENT
    try:
        code = child.wait()
    finally:
        outcome = _close(settings, recording, code)
    return outcome


def _begin(settings: Settings, started: int) -> Recording:
    """Start all that must be there before the agent, or leave nothing behind."""
    recording = Recording(settings, started)
    try:
        recording.open()
    except BaseException:
        recording.discard()
        raise
    return recording


def _close(settings: Settings, recording: Recording, code: int) -> Outcome:
    """End a recording; whatever goes wrong, the agent has done its work and its code stands.

    Signals are ignored meanwhile: the Ctrl-C that ends an agent is often typed once too often.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}
    try:
        return recording.close(code)
    except Exception as error:
        log.exception("a recording did not end well")
        why = line(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        lost = [f"the recording did not end well: {why}"]
        return Outcome(code, settings.display_name, lost=lost)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Recording:
    """A recording under way."""

    def __init__(self, settings: Settings, started: int) -> None:
        """Create the trace file; nothing listens yet.

        Raises:
            OSError: the store cannot be written.
        """
        self._settings = settings
        self._agent = settings.agent
        self._redactor = new_redactor(settings)
        settings.store.create()
        trace_id = new_trace_id()
        self._control = Control(
            settings.store.path, trace_id, agent=settings.display_name, started=started
        )
        path = settings.store.new_trace_path(started, settings.display_name, trace_id)
        try:
            self._writer = TraceWriter(path, resource=resource(), mask=self._redactor.mask)
        except OSError:
            self._control.close()
            raise
        self._log = open_log(
            path.with_name(path.name.removesuffix(SUFFIX) + ".log"), self._redactor
        )
        facts = repository.facts(settings.cwd, settings.environment)
        learn_untracked(self._redactor, facts)
        root = root_span(settings, facts, self._writer, trace_id=trace_id, started=started)
        pattern = self._agent.sub_agent_id
        approvals = approvalmodes.approvals(self._agent.name, settings.command)
        self._watcher = new_watcher(settings, self._writer, self._redactor, self._consents_since)
        self._session = Session(
            self._writer,
            root,
            agent_id_in_result=pattern,
            steps=self._watcher,
            approvals=approvals,
        )
        context = IntakeContext(self._writer, self._session, self._redactor, self._agent)
        self._capture = Capture(context, consents=self._consents, refuses=self._refuses)
        self._receiver: Receiver | None = None
        self._network: Network | None = None
        shells = ShellContext(
            post=self._capture.run,
            commands=self._session,
            writer=self._writer,
            redactor=self._redactor,
            consents=self._consents,
        )
        self._machine = Machine(settings, shells, self._session)
        self._mcp = McpServers(
            settings,
            McpContext(
                post=self._capture.run,
                calls=self._session.mcp,
                writer=self._writer,
                redactor=self._redactor,
                consents=self._consents,
            ),
        )
        context.mcp.names = self._mcp.names

    def open(self) -> None:
        """Bring the root span to the disk, so that no trace is empty, and start what listens.

        Raises:
            OSError: the store cannot be written, or a port is taken.
            ValueError: the certificate authority or the environment's proxy is not usable.
        """
        self._writer.flush()
        if self._writer.problem and self._settings.on_failure == "closed":
            raise self._writer.problem
        self._network = open_network(self._settings, self._capture, self._mcp.more)
        self._receiver = Receiver(self._take_agent_spans)
        self._receiver.start()
        self._mcp.open(self._network)
        self._machine.open(self._mcp.originals)
        self._machine.describe(self._session.root)
        self._mcp.ready(self._machine.marker)
        if self._watcher is not None:
            self._watcher.wait(_FIRST_LOOK)

    @property
    def entry(self) -> Entry | None:
        """The namespace to start the child in."""
        return self._machine.entry

    def started(self, child: Child) -> None:
        """Take note of how the child started."""
        self._machine.entered(child.refusal)

    def command(self) -> tuple[str, ...]:
        """Return the child's command line."""
        if self._network is None:
            raise RuntimeError("the recording is not open")
        return self._mcp.command

    def environment(self) -> dict[str, str]:
        """Return the child's whole environment."""
        if self._network is None or self._receiver is None:
            raise RuntimeError("the recording is not open")
        return {
            **self._settings.environment,
            **self._agent.environment(self._launch_context()),
            **self._network.variables,
            **self._machine.variables,
            **self._mcp.variables,
        }

    def close(self, code: int) -> Outcome:
        """End everything after the agent has ended with `code`."""
        if self._network is not None:
            self._network.server.stop(_GRACE)
        if self._receiver is not None:
            self._receiver.stop()
        self._machine.close()
        self._mcp.close()
        self._capture.close()
        ended = time.time_ns()
        root = self._session.root
        self._machine.describe(root)
        root.attributes[semconv.PROCESS_EXIT_CODE] = code
        root.events += self._control.events()
        told = transcripts.tell(
            root,
            self._agent.name,
            self._settings.environment,
            self._writer.text,
            lambda moment: self._control.covers(moment, moment),
        )
        name_task(root)
        outcome = self._outcome(code, (ended - root.start) / 1e9)
        outcome.notes += told
        if outcome.lost:
            root.attributes[semconv.RECORDING_LOST] = outcome.lost
        self._session.close(ended)
        self._writer.close()
        if self._writer.problem:
            what = f"{self._writer.path}: not all of the trace could be written"
            outcome.lost.append(f"{what}: {line(self._writer.problem)}")
        if self._control.state() is State.EXCLUDED:
            leave_marker(self._writer.path, root, resource(), self._redactor.mask)
            self._log.remove()
            outcome.notes.append("excluded: the trace holds nothing but a marker")
        elif not self._writer.path.exists():
            outcome.lost.append(f"{self._writer.path}: the trace was removed meanwhile")
        self._log.close()
        self._control.close()
        return outcome

    def discard(self) -> None:
        """End everything where the agent could not be started, and leave no file behind."""
        if self._network is not None:
            self._network.server.stop(0)
        if self._receiver is not None:
            self._receiver.stop()
        self._machine.close()
        self._mcp.close()
        self._capture.close()
        if self._watcher is not None:
            self._watcher.discard()
        self._writer.close()
        self._log.close()
        self._control.close()
        self._writer.path.unlink(missing_ok=True)

    def _launch_context(self) -> LaunchContext:
        root = self._session.root
        receiver = self._receiver.endpoint if self._receiver else ""
        return LaunchContext(
            env=self._settings.environment,
            mode=self._settings.mode,
            receiver=receiver,
            traceparent=f"00-{root.trace_id}-{root.span_id}-01",
        )

    def _consents(self, start: int, end: int) -> bool:
        """Tell whether what happened between two moments may be kept; forget all if excluded."""
        if self._control.state() is State.EXCLUDED:
            self._writer.path.unlink(missing_ok=True)
            if self._watcher is not None:
                self._watcher.forget()
        return self._control.covers(start, end)

    def _consents_since(self, moment: int) -> bool:
        return self._control.covers(moment, max(moment, time.time_ns()))

    def _refuses(self) -> bool:
        return self._settings.on_failure == "closed" and bool(
            self._writer.problem or self._capture.faults
        )

    def _take_agent_spans(self, data: otlp.TracesData) -> None:
        self._capture.run(lambda: self._write_agent_spans(data))

    def _write_agent_spans(self, data: otlp.TracesData) -> None:
        for resource_spans in data.resource_spans:
            resource = {
                **decode_attributes(resource_spans.resource.attributes),
                semconv.FORMAT: semconv.FORMAT_VERSION,
                semconv.SOURCE: "agent",
            }
            for scope_spans in resource_spans.scope_spans:
                for sent in scope_spans.spans:
                    span = decode_span(sent)
                    if self._consents(span.start, max(span.start, span.end)):
                        self._session.agent_span(sent)
                        self._writer.span(span, resource=resource, scope=scope_spans.scope)

    def _outcome(self, code: int, seconds: float) -> Outcome:
        lost = [*self._capture.faults, *self._machine.lost]
        outcome = Outcome(code, self._settings.display_name, str(self._writer.path), seconds, lost)
        outcome.notes = [*self._agent.notes(self._launch_context()), *self._mcp.notes]
        if self._writer.lost:
            lost.append(f"{self._writer.lost} spans were dropped: too much waited for the disk")
        if self._network is not None:
            server = self._network.server
            outcome.tunnelled = dict(server.tunnelled)
            outcome.notes += self._network.notes
            lost += [
                f"the agent did not trust the recorder's certificate for {host}"
                for host in server.untrusted
            ]
            lost += [f"the recorder failed: {fault}" for fault in server.faults]
        return outcome
