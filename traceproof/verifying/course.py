"""A verification from what was asked for to the verdict's files: here is the order of things.

Whatever happens on the way, an error or a signal, no box, process or folder is left behind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.recorder.store import Store
from traceproof.replay import verdict as told
from traceproof.replay import verdictfile
from traceproof.replay.boxes import Boxes
from traceproof.replay.interrupts import interruptible
from traceproof.replay.options import Options
from traceproof.replay.probing import Known, can_be_had, left_out, only_known, probe
from traceproof.replay.reports import write_all
from traceproof.replay.runner import Overlay, Runner
from traceproof.replay.runs import Run, RunResult, Tree
from traceproof.replay.runsfile import RunsWriter
from traceproof.replay.steps.report import Report
from traceproof.replay.testcommand import TestCommand
from traceproof.replay.verdict import Verdict
from traceproof.replay.verification import Verification
from traceproof.replay.verify import drive
from traceproof.sandbox.choose import choose
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.lock import Lock
from traceproof.sandbox.protocol import Image, Limits, Sandbox, Setting
from traceproof.verifying import ownruns
from traceproof.verifying.asked import Asked, Place, SandboxName, stored
from traceproof.verifying.environments import How, build_all, command_of, configuration
from traceproof.verifying.files import Files, files_for
from traceproof.verifying.gathering import gather, write_trees
from traceproof.verifying.marking import marked
from traceproof.verifying.replayed import replayed
from traceproof.verifying.scratch import scratch_folder
from traceproof.verifying.subject import Subject
from traceproof.verifying.telling import Teller
from traceproof.verifying.testfiles import differing, names
from traceproof.verifying.undoing import overlays
from traceproof.version import __version__

_AT_LEAST = 60.0
_TIMES = 10.0


class Done(NamedTuple):
    """What came of it."""

    verdict: Verdict
    files: Files
    replay: Report | None = None
    """What came of replaying the recorded steps; None: that was not done."""

    def document(self) -> dict[str, object]:
        """Return it as `--json` prints it."""
        paths = {name: str(path) for name, path in self.files._asdict().items()}
        return {"files": paths, "verdict": self.verdict, "replay": self.replay}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """All that is there when the first box can be started."""

    subject: Subject
    sandbox: Sandbox
    boxes: Boxes
    environments: Mapping[Tree, Environment]
    command: TestCommand
    setting: Setting

    @property
    def final(self) -> Environment:
        """The final tree's environment."""
        return self.environments["final"]

    def runner(self, seconds: float) -> Runner:
        """Return what runs runs."""
        images: dict[Tree, Image] = {tree: env.image for tree, env in self.environments.items()}
        (report,) = {env.report for env in self.environments.values()}
        return Runner(
            self.boxes,
            images,
            self.command,
            setting=self.setting,
            undone=self.undone,
            report=report,
            seconds=seconds,
        )

    @cached_property
    def undone(self) -> Mapping[Tree, Overlay]:
        """What undoes that the tests were changed on the way."""
        return overlays(self.subject)


class Patience:
    """Runs runs; perturbed ones may take ten times as long as the tests did as they are.

    A hang that an order brings about would else cost the whole limit.
    """

    def __init__(self, stage: Stage, seconds: float) -> None:
        self._stage, self._seconds = stage, seconds
        self._usual = seconds

    def run(self, run: Run) -> RunResult:
        """Run a run; any thread may.

        Raises:
            SandboxError: the provider failed.
        """
        as_is = run.axis == "same"
        result = self._stage.runner(self._seconds if as_is else self._limit).run(run)
        if as_is and run.tree == "final" and result.sessions:
            self._usual = result.sessions[0].seconds
        return result

    @property
    def _limit(self) -> float:
        return min(self._seconds, _AT_LEAST + _TIMES * self._usual)


def verify(
    asked: Asked, store: Store, folder: Path | None, teller: Teller, here: Path | None = None
) -> Done:
    """Verify a subject, and write its verdict.

    Args:
        asked: what.
        store: where verdicts without a trace go.
        folder: where the files go instead.
        teller: is told how far it is.
        here: where the command runs.

    Raises:
        ValueError: what was asked for does not fit together, or is not there.
        SandboxError: the environment failed.
        OSError: files cannot be read or written.
    """
    started = time.time()
    with interruptible(), scratch_folder() as scratch, ExitStack() as stack, teller:
        subject = gather(asked.about, here or Path.cwd(), scratch, stack)
        kept = files_for(subject.origin, store, folder)
        with RunsWriter(kept.runs, stored(asked, subject.origin.commit)) as runs:
            stage = prepare(subject, asked.place, scratch, teller)
            stack.callback(stage.boxes.stop, "it was stopped")
            options = _options(asked, stage, started)
            options = only_known(options, _probe(stage, options))
            verification = Verification(options)
            teller.jobs = asked.effort.jobs or os.cpu_count() or 1
            teller.seconds = asked.effort.time
            _ = stage.undone  # read here: boxes are driven by several threads
            drive(
                verification,
                Patience(stage, asked.place.timeout).run,
                stage.boxes,
                runs,
                teller,
                jobs=teller.jobs,
                seconds=asked.effort.time,
            )
            digest = runs.keep()
            if asked.place.sandbox == "local":
                ownruns.note(digest, os.environ)
        found = verification.verdict(
            subject=_subject(stage, kept, digest),
            environment=_environment(stage),
            started=started,
            seconds=time.time() - started,
            version=__version__,
        )
        found = marked(found, stage.subject, stage.command)
        found = msgspec.structs.replace(
            found, notes=(*found.notes, *left_out(asked.effort.axes, stage.sandbox))
        )
        write(found, kept)
    return _with_replay(asked, Done(found, kept), stage.sandbox.name, here or Path.cwd())


def write(verdict: Verdict, kept: Files, replay: Report | None = None) -> None:
    """Write a verdict and its reports.

    Raises:
        OSError: the disk is full, or fails.
    """
    verdictfile.write(kept.verdict, verdict)
    write_all(verdict, kept.stem, replay)


def _with_replay(asked: Asked, done: Done, sandbox: SandboxName, here: Path) -> Done:
    """Replay the recorded steps where there are any; the verdict is on disk by then."""
    report, note = replayed(asked, sandbox, here)
    if not note:
        return done
    notes = (*done.verdict.notes, note)
    found = msgspec.structs.replace(done.verdict, notes=notes)
    write(found, done.files, report)
    return Done(found, done.files, report)


def prepare(
    subject: Subject,
    place: Place,
    scratch: Path,
    teller: Teller,
    *,
    only: Tree | None = None,
    lock: Lock | None = None,
) -> Stage:
    """Build the environments of a subject's trees.

    Args:
        subject: whose.
        place: where and how.
        scratch: a folder that stays meanwhile.
        teller: is told what is being done.
        only: the one tree that is needed; None: all there are.
        lock: an earlier environment's, for the same packages.

    Raises:
        ValueError: nothing says how the tests are run.
        SandboxError: the environment cannot be built.
    """
    folders = write_trees(subject, scratch)
    configured = configuration(subject, folders, scratch)
    command = command_of(subject, configured)
    sandbox = choose(place.sandbox, tell=teller.say)
    trees: dict[Tree, Path] = {"final": folders.final}
    if folders.base is not None:
        trees["base"] = folders.base
    wanted = {tree: folder for tree, folder in trees.items() if only in (None, tree)}
    how = How(place, configured, command, lock)
    environments = build_all(sandbox, subject, wanted, how, teller.doing)
    limits = Limits(memory=place.memory, cpus=place.cpus)
    return Stage(
        subject=subject,
        sandbox=sandbox,
        boxes=Boxes(sandbox),
        environments=environments,
        command=command,
        setting=Setting(limits=limits),
    )


def _probe(stage: Stage, options: Options) -> Known:
    with stage.boxes.start(stage.final.image, stage.setting) as box:
        program = stage.command.argv[0]
        known = probe(box, options, program, cwd=_cwd(box.workspace, stage.command.folder))
    if not known.folder:
        raise ValueError(
            f"the test command {str(stage.command)!r}: there is no folder {stage.command.folder}"
        )
    if not known.program:
        raise ValueError(
            f"the test command {str(stage.command)!r}: {program} is not in the environment; give "
            "another with --tests, or a traceproof.toml or --dockerfile that installs it"
        )
    return known


def _cwd(workspace: str, folder: str) -> str:
    return os.path.normpath(os.path.join(workspace, folder))  # noqa: PTH118 - in the box


def _options(asked: Asked, stage: Stage, now: float) -> Options:
    effort, subject = asked.effort, stage.subject
    return Options(
        seed=effort.seed,
        max_flake_rate=effort.max_flake_rate,
        confidence=effort.confidence,
        runs=effort.runs,
        seconds=effort.time,
        task=subject.task_type.value if subject.task_type else "repair",
        base=subject.has_before,
        undone=subject.has_before and subject.undone is not None,
        written=subject.files.agent_written if subject.files else (),
        unlike=names(list(differing(subject.base, subject.final))) if subject.has_before else (),
        folder=stage.command.folder,
        axes=can_be_had(effort.axes, stage.sandbox),
        network=effort.network,
        cores=os.cpu_count() or 1,
        now=now,
        command=stage.command.argv,
    )


def _subject(stage: Stage, kept: Files, digest: str) -> told.Subject:
    subject, origin = stage.subject, stage.subject.origin
    return told.Subject(
        trace=Path(origin.trace).name,
        trace_sha256=origin.trace_digest.removeprefix("sha256:"),
        repository=origin.repository,
        commit=origin.commit,
        patch_sha256=origin.patch_digest.removeprefix("sha256:"),
        base_tree=subject.graded.base if subject.has_before else "",
        final_tree=subject.graded.final,
        command=stage.command.argv,
        folder=stage.command.folder,
        environment=dict(stage.command.environment),
        tests_from=subject.files.state if subject.files else "final",
        agent_written=subject.files.agent_written if subject.files else (),
        runs_file=kept.runs.name,
        runs_sha256=digest,
    )


def _environment(stage: Stage) -> told.Environment:
    base = stage.environments.get("base")
    limits = msgspec.to_builtins(stage.setting.limits)
    return told.Environment(
        sandbox=stage.sandbox.name,
        isolation=stage.sandbox.isolation,
        final_image=stage.final.image.id,
        base_image=base.image.id if base else "",
        base_digest=stage.final.image.digest,
        lock_sha256=stage.final.lock.digest(),
        lock=msgspec.to_builtins(stage.final.lock),
        limits=limits,
        not_held=tuple(stage.sandbox.shortfalls(stage.setting).values()),
    )
