"""Says what came of a command that ran tests: by the plugin, else its output, else its exit code.

Pure: spans are returned, and whoever asked writes them.
"""

from __future__ import annotations

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.shell.command import CommandEnd
from traceproof.recorder.span import Attributes, Span
from traceproof.recorder.testruns.cases import Run, Verdict
from traceproof.recorder.testruns.exitcode import told
from traceproof.recorder.testruns.output import Output
from traceproof.recorder.testruns.parsers import parse_lines
from traceproof.recorder.testruns.plan import TestPlan
from traceproof.recorder.testruns.runners import ALL, Runner
from traceproof.recorder.testruns.spans import run_spans

_PYTEST_CODES = {
    2: Verdict.ABORTED,
    3: Verdict.ABORTED,
    4: Verdict.ABORTED,
    5: Verdict.SKIPPED,
}
"""pytest's exit codes for: interrupted, internal error, wrong usage, no tests."""


def collect(
    plan: TestPlan, end: CommandEnd, output: Output, *, trace_id: str = "", parent_id: str = ""
) -> list[Span]:
    """Return the `test` spans of a command that has ended.

    Args:
        plan: What was expected of it, with what the plugin told.
        end: How it ended.
        output: What it wrote, masked; an excerpt will do.
        trace_id: The trace of the command's span.
        parent_id: The command's span.
    """
    ended = max(end.ended, plan.start.started)
    found: list[tuple[Run, str, Attributes]] = [(run, "plugin", {}) for run in plan.told.runs()]
    found += [(run, "output", {}) for run in _from_output(plan, output, [run for run, *_ in found])]
    seen = {run.framework for run, *_ in found}
    for runner in plan.runners:
        if runner.certain and not (seen & set(runner.frameworks)):
            run = Run(runner.frameworks[0] if len(runner.frameworks) == 1 else runner.label)
            run.verdict = _by_code(plan, runner, end)
            why: Attributes = {} if run.verdict else {semconv.TEST_UNKNOWN: _why_unknown(end)}
            found.append((run, "exit_code", why))
    return [
        span
        for run, source, more in found
        for span in run_spans(
            _timed(run, plan.start.started, ended),
            trace_id=trace_id,
            parent_id=parent_id,
            source=source,
            more={**_runner(plan), **more},
        )
    ]


def _from_output(plan: TestPlan, output: Output, known: list[Run]) -> list[Run]:
    """Return the runs that the output shows and the plugin did not tell of."""
    frameworks = {name for runner in plan.runners for name in runner.frameworks}
    if known and len(known) >= sum("pytest" in runner.frameworks for runner in plan.runners):
        frameworks.discard("pytest")
    runs = [
        run
        for lines in output.texts()
        for run in parse_lines(lines, [name for name in ALL if name in frameworks])
    ]
    return [run for run in runs if not any(_same(run, other) for other in known)]


def _same(run: Run, other: Run) -> bool:
    return run.framework == other.framework and run.verdict == other.verdict


def _by_code(plan: TestPlan, runner: Runner, end: CommandEnd) -> Verdict | None:
    if end.exit_code is None and not end.signal:
        return None
    timed = any("timeout" in word for word in runner.command.words[:1])
    verdict = told(plan.script, runner.command, end.exit_code, timed=timed)
    if verdict is Verdict.FAILURE and runner.frameworks == ("pytest",):
        return _PYTEST_CODES.get(end.exit_code or 0, verdict)
    return verdict


def _why_unknown(end: CommandEnd) -> str:
    if end.exit_code is None and not end.signal:
        return "how the command ended is not known"
    return "the command's exit code is not, or not only, this tool's"


def _runner(plan: TestPlan) -> Attributes:
    return {semconv.TEST_RUNNER: ", ".join(dict.fromkeys(one.label for one in plan.runners))}


def _timed(run: Run, started: int, ended: int) -> Run:
    """Give a run whose times nobody told those of its command."""
    if run.started:
        return run
    return msgspec.structs.replace(run, started=started, ended=ended)
