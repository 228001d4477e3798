"""What passed: every exchange with its exact bytes, safe to read from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from traceproof.proxy.testing.answer import Answer
from traceproof.proxy.testing.director import Cue
from traceproof.proxy.testing.faults import Fault
from traceproof.proxy.testing.model import Exchanged
from traceproof.proxy.testing.request import Request

Outcome = Literal["running", "complete", "dropped", "client closed"]


@dataclass(eq=False)
class Call:
    """One exchange. Times are Unix nanoseconds, 0 until they happen."""

    connection: int
    """Number of the connection, from 0."""
    exchanged: Exchanged
    started: int
    """When the request's head had come."""
    request_ended: int
    sent: int = 0
    """How many of the answer's chunks have been handed to the socket."""
    response_started: int = 0
    ended: int = 0
    outcome: Outcome = "running"
    """`dropped` is a fault's work. A client may close before it has read all of `complete`."""

    @property
    def request(self) -> Request:
        """The request."""
        return self.exchanged.request

    @property
    def answer(self) -> Answer:
        """The answer as planned; a client that closes gets less of it."""
        return self.exchanged.answer

    @property
    def wire(self) -> str:
        """The name of the wire format, empty where it was no model call."""
        return self.exchanged.wire

    @property
    def cue(self) -> Cue | None:
        """Where in the script the answer stands, None where it was no model call."""
        return self.exchanged.cue

    @property
    def scene(self) -> str:
        """The name of the scene that answered."""
        return self.cue.name if self.cue else ""

    @property
    def faults(self) -> Sequence[Fault]:
        """The faults that held for this call."""
        return self.exchanged.faults

    @property
    def matched(self) -> bool:
        """Whether a scene had a turn for it."""
        return self.cue is not None and self.cue.scene >= 0

    @property
    def method(self) -> str:
        """The request's method."""
        return self.request.method

    @property
    def target(self) -> str:
        """The request's target, exactly as sent."""
        return self.request.target

    @property
    def path(self) -> str:
        """The request's path."""
        return self.request.path

    @property
    def request_headers(self) -> Sequence[tuple[str, str]]:
        """The request's headers, as sent and in order."""
        return self.request.headers

    @property
    def request_body(self) -> bytes:
        """The request's body, exactly as sent, without the framing of HTTP."""
        return self.request.body

    @property
    def status(self) -> int:
        """The response's status, 0 where nothing was answered."""
        return 0 if self.answer.silent else self.answer.status

    @property
    def response_headers(self) -> Sequence[tuple[str, str]]:
        """The response's headers, as sent and in order."""
        return () if self.answer.silent else self.answer.sent_headers

    @property
    def response_body(self) -> bytes:
        """The response's body so far, as sent: content-encoded, without the framing of HTTP."""
        whole = self.sent >= len(self.answer.chunks)
        return self.answer.body if whole else b"".join(self.answer.chunks[: self.sent])

    @cached_property
    def request_sha256(self) -> str:
        """The digest of the request's body, in hex."""
        return sha256(self.request_body).hexdigest()

    @property
    def response_sha256(self) -> str:
        """The digest of the response's body as sent so far, in hex."""
        return sha256(self.response_body).hexdigest()


class CallLog:
    """The calls in the order their requests came, and a way to wait for them."""

    def __init__(self, keep: int | None = None) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self._changed = threading.Condition()
        self._ended = 0
        self.held = 0

    def add(self, call: Call) -> None:
        """Take in a call whose request is whole."""
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()

    def end(self, call: Call, outcome: Outcome, time: int) -> None:
        """Note that nothing more will be sent."""
        with self._changed:
            call.outcome, call.ended = outcome, time
            self._ended += 1
            self._changed.notify_all()

    def hold(self, count: int) -> None:
        """Note that one more answer is held (1) or one less (-1)."""
        with self._changed:
            self.held += count
            self._changed.notify_all()

    def snapshot(self) -> list[Call]:
        """Return the calls so far."""
        with self._changed:
            return list(self._calls)

    def ended(self) -> int:
        """Return how many calls have ended, those no longer kept included."""
        with self._changed:
            return self._ended

    def wait(self, ready: Callable[[], bool], timeout: float, what: str) -> None:
        """Wait until `ready` holds; it is asked after every change.

        Raises:
            TimeoutError: It did not come about in time.
        """
        with self._changed:
            if not self._changed.wait_for(ready, timeout):
                raise TimeoutError(f"waited {timeout} s for {what}; {self._ended} calls have ended")
