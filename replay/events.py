"""Reads what the tests' process reports: bytes from the channel in, the session's result out.

Whoever runs beside the tests can write to the channel. Lines are sealed with a key that only the
plugin has, and numbered; each execution is begun and ended, and the end says how many there were.
What does not fit together makes the session a problem, not a result. Nothing is read from stdout,
and nothing here knows where the bytes come from.
"""

from __future__ import annotations

import hmac
from typing import TypeAlias

import msgspec

from traceproof.replay.inside.job import next_key
from traceproof.replay.runs import Case, SessionResult
from traceproof.sandbox.protocol import Result

LINE = 4096
EVENT = 1 << 20
"""The most bytes of a line, and of an event."""

OUTPUT = 8000


class _Hello(msgspec.Struct, tag_field="event", tag="hello"):
    runner: str
    python: str = ""
    clock: str = ""


class _Aside(msgspec.Struct, tag_field="event", tag="aside"):
    options: list[str] = []
    pytest: str = ""


class _Collected(msgspec.Struct, tag_field="event", tag="collected"):
    tests: list[str]


class _Start(msgspec.Struct, tag_field="event", tag="start"):
    test: str
    repeat: int = 0


class _Case(Case, frozen=True, tag_field="event", tag="case"):
    failed: int = 0
    """How many of its reports told a failure."""


class _Problem(msgspec.Struct, tag_field="event", tag="problem"):
    text: str


class _None(msgspec.Struct, tag_field="event", tag="none"):
    """There are no tests to run: `--help`."""


class _End(msgspec.Struct, tag_field="event", tag="end"):
    cases: int
    failed: int
    counted: int = 0
    """How many failures the runner itself has counted."""
    exit: int | None = None
    interrupted: str = ""
    plugins: list[str] = []


_Event: TypeAlias = _Hello | _Aside | _Collected | _Start | _Case | _Problem | _None | _End
_EVENT: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event)


class Listener:
    """Takes what arrives on the channel while a session runs."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sequence = 0
        self._line = b""
        self._parts: list[bytes] = []
        self._begun: dict[str, int] = {}
        self._running: str = ""
        self._failed = 0
        self._in_part = 0
        self._open = False
        self._under_way = False
        self._ended = 0
        self._fails = False
        self._plugins: set[str] = set()
        self._collected: list[str] = []
        self._cases: list[Case] = []
        self._uncollected: set[str] = set()
        self.problem = ""
        """The first thing that was wrong; nothing is read after it."""

    @property
    def heard(self) -> bool:
        """Whether a runner of tests has begun; before that, its exit code is all there is."""
        return self._under_way or self._ended > 0

    def feed(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            if not self.problem:
                self._read(line)
        if len(self._line) > LINE:
            self._wrong("forged: a line that is too long")
            self._line = b""

    def _wrong(self, problem: str) -> None:
        self.problem = self.problem or problem[:500]

    def _read(self, line: bytes) -> None:
        match line.split(b" ", 4):
            case [b"tp1", sequence, (b"+" | b".") as flag, seal, part]:
                body = sequence + b" " + flag + b" " + part
            case _:
                return self._wrong("forged: a line on the channel that is not of the plugin")
        real = hmac.new(self._key, body, "sha256").hexdigest()[:32].encode()
        if not hmac.compare_digest(real, seal):
            return self._wrong("forged: a line on the channel without the plugin's seal")
        if sequence != b"%d" % self._sequence:
            return self._wrong(f"contradiction: line {self._sequence} is missing or came twice")
        self._sequence += 1
        self._parts.append(part)
        if sum(map(len, self._parts)) > EVENT:
            return self._wrong("forged: an event that is too long")
        if flag == b".":
            text, self._parts = b"".join(self._parts), []
            self._event(text)
        return None

    def _event(self, text: bytes) -> None:
        try:
            event = _EVENT.decode(text)
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            return self._wrong(f"forged: an event that is none of the plugin's: {error}")
        if self._open == isinstance(event, _Hello):
            return self._wrong("contradiction: an event outside of a session, or a second hello")
        return self._take(event)

    def _take(self, event: _Event) -> None:
        match event:
            case _Hello():
                self._open = True
                self._under_way = event.runner != "pytest"
                self._failed = self._in_part = 0
                if event.clock:
                    self._wrong(f"clock: {event.clock}")
            case _Aside():
                self._under_way = True
            case _Collected():
                self._collected += event.tests
            case _Start():
                self._start(event)
            case _Case():
                self._case(event)
            case _Problem():
                self._wrong(event.text)
            case _None():
                self._leave()
            case _End():
                self._end(event)

    def _start(self, event: _Start) -> None:
        if self._running:
            return self._wrong(f"contradiction: {event.test} began within {self._running}")
        self._begun[event.test] = event.repeat
        self._running = event.test
        return None

    def _case(self, case: _Case) -> None:
        self._in_part += 1
        self._failed += case.failed
        if case.phase != "collect":
            if self._running != case.test or self._begun[case.test] != case.repeat:
                return self._wrong(f"contradiction: {case.test} ended, and had not begun")
            self._running = ""
        if case.failed and case.outcome not in ("failed", "error"):
            return self._wrong(f"contradiction: {case.test} failed, and did not")
        if case.phase != "collect" or case.test not in self._uncollected:
            self._cases.append(_plain(case))
        if case.phase == "collect":
            self._uncollected.add(case.test)
        return None

    def _leave(self) -> None:
        self._open = self._under_way = False
        self._key = next_key(self._key)
        self._sequence = 0

    def _end(self, end: _End) -> None:
        self._leave()
        self._ended += 1
        self._fails = self._fails or bool(end.failed or end.counted or end.exit)
        self._plugins.update(end.plugins)
        said = (end.cases, end.failed)
        if end.interrupted:
            self._wrong(f"interrupted: {end.interrupted}")
        elif self._running:
            self._wrong(f"contradiction: the end came during {self._running}")
        elif said != (self._in_part, self._failed):
            self._wrong(f"contradiction: {self._in_part} executions came, the end says {said[0]}")
        elif end.counted != self._failed:
            self._wrong(
                f"contradiction: the runner counted {end.counted} failures, reported were "
                f"{self._failed}"
            )

    def result(self, result: Result, command: str, timeout: float) -> SessionResult:
        """Return what came of the session, now that the command has ended.

        Args:
            result: how the command ended.
            command: it, in words: the one case's name where no runner was heard.
            timeout: the seconds it had.
        """
        problem = self._why(result, timeout)
        cases, source = tuple(self._cases), "plugin"
        if not self.heard and not problem:
            cases, source = (by_exit_code(command, result.exit_code),), "exit code"
        wrong = bool(problem) or source == "exit code" or not cases
        return SessionResult(
            cases=cases,
            collected=tuple(dict.fromkeys(self._collected)),
            exit_code=result.exit_code,
            signal=result.signal,
            seconds=result.seconds,
            complete=not problem,
            problem=problem,
            output=_output(result) if wrong else "",
            source=source,  # type: ignore[arg-type]
            plugins=tuple(sorted(self._plugins)),
            beyond=self.heard and not problem and bool(result.exit_code) and not self._fails,
        )

    def _why(self, result: Result, timeout: float) -> str:
        """Return why the session is not complete; empty where it is."""
        if result.timed_out:
            late = ": the tests had ended, and their process had not"
            ended = self._ended and not self._under_way and not self.problem
            return f"timed out after {timeout:g} s{late if ended else ''}"
        if result.out_of_memory:
            return "out of memory"
        if self.problem:
            return self.problem
        if self._line:
            return "forged: the last line on the channel has no end"
        during = f" during {self._running}" if self._running else ""
        if result.destroyed:
            return f"the box was destroyed: {result.destroyed}"
        if result.exit_code is None:
            return f"killed by signal {result.signal}{during}"
        if self._under_way or (self._open and result.exit_code == 0):
            return f"ended early: exit code {result.exit_code}{during}"
        return ""  # where pytest could not even begin, its exit code says so


def _plain(case: _Case) -> Case:
    return Case(**{name: getattr(case, name) for name in Case.__struct_fields__})


def by_exit_code(command: str, exit_code: int | None) -> Case:
    """Return a command's exit code as the one case of a session."""
    return Case(test=command, outcome="passed" if exit_code == 0 else "failed")


def _output(result: Result) -> str:
    text = b"\n".join(part[-OUTPUT:] for part in (result.stdout, result.stderr) if part)
    return text.decode("utf-8", "replace")[-OUTPUT:]
