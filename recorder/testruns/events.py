"""Puts together what the pytest plugin told: packets in, runs out.

One connection is one session of pytest. What it says is a user's process speaking: nothing of it is
trusted to be whole, of the right type, or short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from traceproof.recorder.testruns.cases import Case, Run, Status, Verdict, count, latest

MAX_CASES = 200_000
"""Cases of one session that are kept; the rest is only counted."""

MAX_SESSIONS = 1000

MAX_TEXT = 4000
"""Characters of a text that are kept: more than the plugin sends."""

_INTEGERS = 1 << 63
"""Integers from here on have no place in a span."""

Clean: TypeAlias = Callable[[str], str]
"""Masks what is secret in a text."""

_FACTS = (
    "python", "rootdir", "arguments", "plugins", "hash_seed", "keyword", "markers", "seed",
    "workers", "max_failures", "order_seed", "order", "repeats", "reruns", "collect_only",
)  # fmt: skip
_OK, _FAILED, _NO_TESTS = 0, 1, 5
"""pytest's exit codes; between the last two: interrupted, internal error, wrong usage."""


class Session:
    """One session as far as it was told of."""

    def __init__(self, when: int) -> None:
        self.run = Run("pytest", started=when)
        self.left_out = 0
        self._running: dict[str, Case] = {}
        self._exit: int | None = None
        self._ended = False
        self._began = False
        self._last = when

    def take(self, when: int, event: dict[str, Any]) -> None:
        """Take one event; what makes no sense is left out."""
        self._last = max(self._last, when)
        facts = self.run.facts
        match event.get("event"):
            case "session":
                self._began = True
                self.run.version = _text(event.get("version"))
                facts |= {name: event[name] for name in _FACTS if _plain(event.get(name))}
            case "collected":
                facts |= {
                    name: event[name]
                    for name in ("collected", "deselected")
                    if _plain(event.get(name))
                }
            case "start":
                self._began_case(_case(event, Status.UNKNOWN, when))
            case "case":
                self._case(when, event)
            case "interrupted" | "stopped" | "internal_error" as what:
                facts[what] = _text(event.get("reason")) or what
            case "end":
                self._ended = True
                self._exit = event["exit"] if isinstance(event.get("exit"), int) else None

    def _case(self, when: int, event: dict[str, Any]) -> None:
        said = _text(event.get("status"))
        again = said == "rerun"
        try:
            status = Status.FAILED if again else Status(said)
        except ValueError:
            status = Status.UNKNOWN
        case = _case(event, status, when)
        self._running.pop(case.name, None)
        if again:  # its end is still to come
            self._began_case(case)
        if len(self.run.cases) >= MAX_CASES:
            self.left_out += 1
            return
        self.run.cases.append(case)

    def _began_case(self, case: Case) -> None:
        if len(self._running) < MAX_CASES:
            self._running[case.name] = case

    def result(self) -> Run | None:
        """Return the run; None where no session began (`pytest --help`)."""
        if not self._began:
            return None
        run = self.run
        hanging = [
            msgspec.structs.replace(case, status=Status.UNKNOWN, message="it did not end")
            for case in self._running.values()
        ]
        cases = latest([*run.cases, *hanging])
        facts = dict(run.facts)
        if self.left_out:
            facts["left_out"] = self.left_out
        if self._exit is not None:
            facts["exit_code"] = self._exit
        counts = count(cases)
        return msgspec.structs.replace(
            run,
            cases=cases,
            counts=counts,
            summary=True,
            verdict=self._verdict(counts),
            seconds=(self._last - run.started) / 1e9,
            facts=facts,
            ended=self._last,
        )

    def _verdict(self, counts: dict[Status, int]) -> Verdict:
        if not self._ended:
            return Verdict.ABORTED
        if self._exit == _OK:
            nothing = not counts or self.run.facts.get("collect_only")
            return Verdict.SKIPPED if nothing else Verdict.SUCCESS
        if self._exit == _NO_TESTS:
            return Verdict.SKIPPED
        if self._exit == _FAILED or (
            counts.get(Status.ERROR) and "interrupted" not in self.run.facts
        ):
            return Verdict.FAILURE
        return Verdict.ABORTED


class Sessions:
    """The sessions of one command, by connection."""

    def __init__(self) -> None:
        self.clean: Clean = str
        """What every text goes through before anything is made of it, cut short for instance."""
        self._sessions: dict[int, Session] = {}

    def take(self, connection: int, when: int, payload: bytes) -> None:
        """Take a packet's payload that came at a time (Unix nanoseconds) by a connection."""
        try:
            event = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        session = self._sessions.get(connection)
        if session is None:
            if len(self._sessions) >= MAX_SESSIONS:
                return
            session = self._sessions[connection] = Session(when)
        if isinstance(event, dict):
            session.take(when, _cleaned(event, self.clean))

    def runs(self) -> list[Run]:
        """Return the runs, by their start."""
        runs = [run for one in self._sessions.values() if (run := one.result())]
        return sorted(runs, key=lambda run: run.started)


def _cleaned(event: dict[str, Any], clean: Clean) -> dict[str, Any]:
    """Return an event with its texts masked; what the plugin would not send is None."""
    return {name: _clean_value(value, clean) for name, value in event.items()}


def _clean_value(value: object, clean: Clean) -> object:
    match value:
        case str():
            return clean(value)[:MAX_TEXT]
        case list():
            return [clean(item)[:MAX_TEXT] for item in value if isinstance(item, str)]
        case int() if not -_INTEGERS <= value < _INTEGERS:
            return None
        case int() | float():
            return value
    return None


def _case(event: dict[str, Any], status: Status, when: int) -> Case:
    seconds, line = event.get("seconds"), event.get("line")
    return Case(
        _text(event.get("name")),
        status,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        message=_text(event.get("message")),
        file=_text(event.get("file")),
        line=line if isinstance(line, int) else 0,
        phase=_text(event.get("phase")),
        ended=0 if status is Status.UNKNOWN else when,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(value: object) -> bool:
    """Tell whether this is a fact worth keeping: a value that is not empty."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str | int | float) and bool(value)
