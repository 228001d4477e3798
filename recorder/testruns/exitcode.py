"""What a script's exit code says about one command in it, and when it says nothing.

`pytest | tail` ends with tail's code, `pytest; echo done` with echo's: there nothing is known. To
call such a run passed would be the worst mistake this package can make.
"""

from __future__ import annotations

from pathlib import PurePath

from traceproof.recorder.testruns.cases import Verdict
from traceproof.recorder.testruns.words import Command, Pipeline, Script

TIMED_OUT = 124
"""How `timeout` ends when the time was up."""

_HARMLESS = frozenset(
    ("cd", "export", "source", ".", "set", "unset", "shopt", "true", ":", "echo", "printf", "pwd",
     "pushd", "popd", "alias", "trap", "umask", "ulimit", "sleep", "date", "mkdir", "clear")
)  # fmt: skip
"""Commands that do not fail, as good as ever."""


def told(
    script: Script, target: Command, code: int | None, *, timed: bool = False
) -> Verdict | None:
    """Return how the target ended, as far as the whole script's exit code tells it.

    Args:
        script: The script.
        target: A command in it.
        code: The exit code; None where a signal ended it.
        timed: Whether `timeout` runs the target.
    """
    if code is None:
        return Verdict.ABORTED if _decides(script, target, failing=True) else None
    if not _decides(script, target, failing=code != 0):
        return None
    if code == 0:
        return Verdict.SUCCESS
    return Verdict.TIMED_OUT if timed and code == TIMED_OUT else Verdict.FAILURE


def _decides(script: Script, target: Command, *, failing: bool, pipefail: bool = False) -> bool:
    """Tell whether the script's failing (or its success) is the target's."""
    if script.compound or not script.pipelines:
        return False
    chain = _last_chain(script)
    place = next((index for index, one in enumerate(chain) if _holds(one, target)), -1)
    if place < 0:
        return False
    pipefail = pipefail or any(_sets_pipefail(command) for command in script.commands())
    ties = {pipeline.tie for pipeline in chain[1:]}
    if ties <= {"&&"}:
        others = [one for index, one in enumerate(chain) if index != place]
        if failing and not all(_harmless(one) for one in others):
            return False
    elif not (ties == {"||"} and failing):
        return False
    return _pipeline_decides(chain[place], target, failing=failing, pipefail=pipefail)


def _last_chain(script: Script) -> list[Pipeline]:
    """Return the pipelines tied by `&&` and `||` at a script's end: they make its exit code."""
    chain: list[Pipeline] = []
    for pipeline in script.pipelines:
        if pipeline.tie == ";":
            chain = []
        chain.append(pipeline)
    return chain


def _pipeline_decides(
    pipeline: Pipeline, target: Command, *, failing: bool, pipefail: bool
) -> bool:
    if pipeline.negated or pipeline.background:
        return False
    *before, last = pipeline.commands
    if before and not (pipefail and not failing) and not _command_holds(last, target):
        return False
    if before and failing and pipefail:
        return False
    holder = next(one for one in pipeline.commands if _command_holds(one, target))
    if holder is target:
        return True
    return holder.inner is not None and _decides(
        holder.inner, target, failing=failing, pipefail=pipefail
    )


def _holds(pipeline: Pipeline, target: Command) -> bool:
    return any(_command_holds(command, target) for command in pipeline.commands)


def _command_holds(command: Command, target: Command) -> bool:
    if command is target:
        return True
    return command.inner is not None and any(
        _holds(pipeline, target) for pipeline in command.inner.pipelines
    )


def _harmless(pipeline: Pipeline) -> bool:
    return all(
        not command.words or PurePath(command.words[0]).name in _HARMLESS
        for command in pipeline.commands
    )


def _sets_pipefail(command: Command) -> bool:
    return (
        command.words[:1] == ["set"] and "pipefail" in command.words and "-" in command.words[1][:1]
    )
