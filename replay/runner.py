"""Runs a run: starts its box, runs each of its sessions in it, and returns what was heard.

It is the one place where the tests' process, the sandbox and the reader of its reports meet. Which
runs there are to be, and what they mean, is decided elsewhere.
"""

from __future__ import annotations

import os.path
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from traceproof.replay import junit, kit
from traceproof.replay.events import Listener
from traceproof.replay.runs import Conditions, Run, RunResult, Session, SessionResult, Tree
from traceproof.replay.testcommand import TestCommand
from traceproof.sandbox.protocol import MIB, Box, Image, Result, Sandbox, Setting

NOT_FOUND = 127
"""A shell's exit code for a command that is not there."""

REPORT = 64 * MIB
_MINUTE = 60.0

_NOT_HEARD = (
    "nothing was heard of {}, and the command says that all is well: something else runs in its "
    "place, or a version that is too old to be heard"
)


class Overlay(NamedTuple):
    """What makes one tree of another, in a box."""

    tar: bytes
    """Files to be laid over the workspace."""
    gone: tuple[str, ...] = ()
    """Paths to be removed first."""


class Runner:
    """Runs the tests of one subject in boxes of one sandbox; any thread may use it."""

    def __init__(
        self,
        sandbox: Sandbox,
        images: Mapping[Tree, Image],
        command: TestCommand,
        *,
        setting: Setting | None = None,
        undone: Mapping[Tree, Overlay] | None = None,
        report: str = "",
        seconds: float = 1800.0,
    ) -> None:
        """Take what is the same for all runs.

        Args:
            sandbox: where boxes are started.
            images: an image for each tree.
            command: the command that runs the tests.
            setting: how boxes are; conditions of a run change it.
            undone: for a tree what undoes that the tests were changed on the way, where the
                conditions of a run want that.
            report: where, seen from the workspace, the command leaves a JUnit report; it is read
                where neither pytest nor unittest is heard.
            seconds: the time a session may take.
        """
        self._sandbox = sandbox
        self._images = images
        self._command = command
        self._setting = setting or Setting()
        self._undone = undone or {}
        self._report = report
        self._seconds = seconds

    def run(self, run: Run) -> RunResult:
        """Run the sessions of a run, each in a clean workspace, in one box.

        A box that ends with a session (it timed out, or broke a limit) is followed by another.

        Raises:
            SandboxError: the provider failed.
        """
        started, clock = time.time(), time.monotonic()
        results: list[SessionResult] = []
        while len(results) < len(run.sessions):
            results += self._in_a_box(run, run.sessions[len(results) :])
        return RunResult(
            run=run.id,
            sessions=tuple(results),
            started=started,
            seconds=time.monotonic() - clock,
        )

    def _in_a_box(self, run: Run, sessions: Sequence[Session]) -> list[SessionResult]:
        """Run sessions until they or their box come to an end: one at least."""
        ears = _Ears()
        results: list[SessionResult] = []
        image = self._images[run.tree]
        with self._sandbox.start(image, _setting(self._setting, run.conditions), ears.hear) as box:
            for session in sessions:
                if results:
                    box.reset()
                place = _Place(self, run, box)
                place.lay_over()
                result, command = place.session(session, ears)
                results.append(result)
                if command.destroyed:
                    break
        return results


class _Ears:
    """Hands what a box reports to the session that runs."""

    def __init__(self) -> None:
        self._listener: Listener | None = None

    def listen(self) -> tuple[Listener, bytes]:
        """Return a new listener, and its key; the last one hears no more."""
        key = kit.new_key()
        self._listener = Listener(key)
        return self._listener, key

    def hear(self, data: bytes) -> None:
        """Take bytes of the channel."""
        if self._listener is not None:
            self._listener.feed(data)


class _Place:
    """A box, as a run's sessions find it."""

    def __init__(self, runner: Runner, run: Run, box: Box) -> None:
        self._runner = runner
        self._run = run
        self._box = box

    def lay_over(self) -> None:
        """Undo what was made of the tests, where that is wanted."""
        overlay = self._runner._undone.get(self._run.tree)  # noqa: SLF001
        if not self._run.conditions.undone_tests or overlay is None:
            return
        if overlay.gone:
            paths = b"".join(os.fsencode(path) + b"\0" for path in overlay.gone)
            removing = ["xargs", "-0", "rm", "-rf", "--"]
            self._box.run(removing, seconds=_MINUTE, stdin=[paths])
        self._box.copy_in([overlay.tar], self._box.workspace)

    def session(self, session: Session, ears: _Ears) -> tuple[SessionResult, Result]:
        """Run a session; return what came of it, and how the command ended."""
        test, conditions = self._runner._command, self._run.conditions  # noqa: SLF001
        seconds = self._runner._seconds  # noqa: SLF001
        if self._runner._report:  # noqa: SLF001
            self._box.run(["rm", "-rf", "--", self._report], seconds=_MINUTE)
        listener, key = ears.listen()
        result = self._box.run(
            kit.command(test.argv, conditions.load),
            seconds=seconds,
            cwd=os.path.normpath(f"{self._box.workspace}/{test.folder}"),
            environment={**test.environment, **kit.environment(conditions)},
            stdin=[kit.tar(self._job(session, key))],
        )
        heard = listener.result(result, str(test), seconds)
        if not listener.heard:
            heard = self._without_plugin(heard, result)
        return heard if session.twice else _all_at_once(heard), result

    def _job(self, session: Session, key: bytes) -> bytes:
        box = self._box
        return kit.job(
            session, self._run.conditions, key=key, channel=box.channel, root=box.workspace
        )

    def _without_plugin(self, heard: SessionResult, result: Result) -> SessionResult:
        """Return what the exit code and the runner's own report tell."""
        if heard.problem:
            return heard
        if result.exit_code == NOT_FOUND:
            problem = f"command not found: {self._runner._command.argv[0]}"  # noqa: SLF001
        elif result.exit_code == kit.NOT_HANDED_OVER:
            problem = "the job could not be handed over"
        elif self._runner._report:  # noqa: SLF001
            return self._by_report(heard)
        elif result.exit_code == 0 and self._runner._command.runner:  # noqa: SLF001
            problem = _NOT_HEARD.format(self._runner._command.runner)  # noqa: SLF001
        else:
            return heard
        return msgspec.structs.replace(heard, cases=(), complete=False, problem=problem)

    @property
    def _report(self) -> str:
        """Where the command leaves its report; one that is there before is none of its."""
        return os.path.normpath(f"{self._box.workspace}/{self._runner._report}")  # noqa: SLF001

    def _by_report(self, heard: SessionResult) -> SessionResult:
        report = self._runner._report  # noqa: SLF001
        try:
            cases = junit.read(self._box.copy_out(self._report, limit=REPORT))
        except (FileNotFoundError, ValueError) as error:
            if heard.exit_code and isinstance(error, FileNotFoundError):
                return heard  # what could not begin, code that does not compile, leaves none
            problem = f"the report {report} cannot be read: {error}"
            return msgspec.structs.replace(heard, cases=(), complete=False, problem=problem)
        collected = tuple(dict.fromkeys(case.test for case in cases))
        fails = any(case.outcome in ("failed", "error") for case in cases)
        return msgspec.structs.replace(
            heard,
            cases=cases,
            collected=collected,
            source="junit",
            beyond=bool(heard.exit_code) and not fails,
        )


def _all_at_once(heard: SessionResult) -> SessionResult:
    """Return a session in which nothing was to run twice: what did so all the same counts whole.

    A suite may name a test twice, and a plugin may try one again.
    """
    if not any(case.repeat for case in heard.cases):
        return heard
    cases = tuple(msgspec.structs.replace(case, repeat=0) for case in heard.cases)
    return msgspec.structs.replace(heard, cases=cases)


def _setting(setting: Setting, conditions: Conditions) -> Setting:
    """Return the setting as a run's conditions want it."""
    limits = setting.limits
    if conditions.cpus:
        limits = msgspec.structs.replace(limits, cpus=conditions.cpus)
    return msgspec.structs.replace(
        setting,
        limits=limits,
        network=setting.network or conditions.network,
        file_order=conditions.file_order,
    )
