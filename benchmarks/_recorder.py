"""The whole recorder as a sink, for benchmarks that measure recording and not the relay alone."""

from __future__ import annotations

import time
from pathlib import Path

from traceproof.proxy.capture import Capture
from traceproof.proxy.intake import IntakeContext
from traceproof.recorder.agents import by_name
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.session import Session
from traceproof.recorder.span import Span, new_span_id, new_trace_id
from traceproof.recorder.writer import TraceWriter

SECRETS = 6


class Recorder(Capture):
    """A capture with a trace file, a session and some secrets to look for."""

    def __init__(self, path: Path, agent: str = "claude-code") -> None:
        redactor = Redactor()
        for number in range(SECRETS):
            redactor.add(f"KEY_{number}", f"sk-benchmark-{number}-0123456789abcdef")
        self.writer = TraceWriter(path, resource={}, mask=redactor.mask)
        root = Span(
            new_trace_id(),
            new_span_id(),
            "invoke_agent benchmark",
            start=time.time_ns(),
            attributes={"gen_ai.operation.name": "invoke_agent"},
        )
        self.session = Session(self.writer, root)
        super().__init__(IntakeContext(self.writer, self.session, redactor, by_name(agent)))

    def close(self) -> None:
        """End the trace."""
        super().close()
        self.session.close(time.time_ns())
        if not self.writer.close() or self.faults:
            raise RuntimeError(f"not all was recorded: {self.writer.problem} {self.faults}")


def sink(folder: Path) -> Recorder:
    """Return a recorder that writes in a folder."""
    return Recorder(folder / f"{time.time_ns()}.otlp.jsonl.zst")
