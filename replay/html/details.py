"""The end of the page: what was tested, where, all runs, and what a reader should know. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from traceproof.replay.html.bits import code, facts, more, names, repeat, section, table
from traceproof.replay.html.markup import Html, element
from traceproof.replay.html.words import counted, duration, percent
from traceproof.replay.verdict import Environment, RunRecord, Verdict

_SIZES = {"memory", "disk", "file_size", "output", "report"}
_KIB = 1024


def notes(verdict: Verdict) -> Html | None:
    """Return the verdict's notes; None where there are none."""
    if not verdict.notes:
        return None
    return section(
        "To know", element("ul", [element("li", n) for n in verdict.notes]), name="notes"
    )


def subject(verdict: Verdict) -> Html:
    """Return what was tested, and how."""
    it, budgets = verdict.subject, verdict.budgets
    variables = [f"{name}={shlex.quote(value)}" for name, value in it.environment.items()]
    told = facts(
        (
            ("trace", it.trace),
            ("repository", it.repository),
            ("commit", _code(it.commit)),
            ("patch, SHA-256", _code(it.patch_sha256)),
            ("base tree", _code(it.base_tree)),
            ("final tree", _code(it.final_tree)),
            ("test command", _code(" ".join([*variables, shlex.join(it.command)]))),
            ("in folder", it.folder),
            ("test files from", it.tests_from),
            ("kind of task", verdict.task.replace("_", " ")),
            ("asked for", _asked(budgets.max_flake_rate, budgets.confidence, budgets.runs)),
            ("seed", str(verdict.seed)),
            ("file of runs", it.runs_file),
        )
    )
    title = f"{counted(len(it.agent_written), 'test file')} made or changed by the agent"
    by_agent = more(title, names(it.agent_written)) if it.agent_written else None
    return section("What was tested", told, by_agent, name="subject")


def environment(place: Environment | None) -> Html | None:
    """Return where it ran; None where that is not known."""
    if place is None:
        return None
    told = facts(
        (
            ("sandbox", place.sandbox),
            ("isolation", place.isolation),
            ("image", _code(place.final_image)),
            ("base image's digest", _code(place.base_digest)),
            ("engine", place.engine),
            ("limits", ", ".join(_limits(place.limits))),
            ("not held", "; ".join(place.not_held)),
            ("lock, SHA-256", _code(place.lock_sha256)),
            *_resolved(place.lock),
        )
    )
    return section("The environment", told, _packages(place.lock), name="environment")


def runs(verdict: Verdict, file: str) -> Html | None:
    """Return every run, folded away; None without any."""
    if not verdict.runs:
        return None
    heads = ("run", "what", "sessions", "came out", "flipped", "time", "problem")
    made = table(heads, (list(_run(run)) for run in verdict.runs), "runs")
    hint = element("p", "Each can be repeated, in the folder of this page:")
    title = f"all {counted(len(verdict.runs), 'run')}, in the order in which they ended"
    return section("Runs", more(title, hint, repeat(verdict.runs[0].id, file), made), name="runs")


def foot(verdict: Verdict) -> Html:
    """Return when it was made, and by what."""
    when = datetime.fromtimestamp(verdict.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return element("footer", f"traceproof {verdict.version}, begun {when}")


def _code(text: str) -> Html | str:
    return code(text) if text else ""


def _asked(rate: float, confidence: float, count: int) -> str:
    return (
        f"flake rate at most {percent(rate)} with {percent(confidence)} confidence: "
        f"{count} identical runs"
    )


def _limits(limits: dict[str, int | float]) -> Iterator[str]:
    for name, value in limits.items():
        told = _size(value) if name in _SIZES else f"{value:g}"
        yield f"{name.replace('_', ' ')} {told}"


def _size(value: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if value < _KIB:
            return f"{value:g} {unit}"
        value /= _KIB
    return f"{value:g} GiB"


def _resolved(lock: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("os", "machine", "python", "node"):
        yield name, str(lock.get(name) or "")


def _packages(lock: dict[str, Any]) -> Html | None:
    """Return the packages of a lock; what is not of that form is left out."""
    listed = lock.get("packages")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    rows = [(str(one.get("name", "")), str(one.get("version", ""))) for one in found]
    title = counted(len(rows), "package")
    return more(title, table(("package", "version"), rows)) if rows else None


def _run(run: RunRecord) -> Iterator[str | Html]:
    outcomes = sum((Counter(session.outcomes) for session in run.sessions), Counter[str]())
    flipped = {test for session in run.sessions for test in session.flipped}
    problems = [run.failure, *(session.problem for session in run.sessions)]
    yield code(run.id)
    yield f"{run.axis.replace('_', ' ')} {run.value}"
    yield f"{len(run.sessions):,}"
    yield ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    yield counted(len(flipped), "test") if flipped else ""
    yield duration(run.seconds)
    yield "; ".join(dict.fromkeys(filter(None, problems)))
