"""A step replay from the trace to the report: here is the order of things.

Whatever happens on the way, an error or a signal, no box, process or folder is left behind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from traceproof.checkout import write
from traceproof.recorder import semconv
from traceproof.recorder.git import GitError
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.workspace.base import RULE_ALL, RULE_GIT, find_base
from traceproof.recorder.workspace.objects import Objects
from traceproof.recorder.workspace.policy import DEFAULTS, Policy
from traceproof.recorder.workspace.tree import Tree
from traceproof.replay.interrupts import interruptible
from traceproof.replay.steps.desk import OUTPUT
from traceproof.replay.steps.plan import Action, plan
from traceproof.replay.steps.play import Player
from traceproof.replay.steps.report import Report, Step, report
from traceproof.replay.steps.scene import Scene, venvs
from traceproof.replaying.reading import Facts, masked_names, read
from traceproof.replaying.telling import Teller
from traceproof.sandbox.choose import choose
from traceproof.sandbox.environments.build import build
from traceproof.sandbox.environments.detect import CONFIG, recipe_for
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.recipe import Source as Tar
from traceproof.sandbox.protocol import Image, Limits, Sandbox, Setting
from traceproof.verifying.clones import find, repository
from traceproof.verifying.scratch import scratch_folder
from traceproof.verifying.subject import place_of
from traceproof.workspaces import Clone, Source, Workspaces, find_clone

_PYTEST = re.compile(r"(?<![\w.-])(pytest|py\.test)(?![\w-])")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for."""

    trace: Path
    repository: str = ""
    """A clone that has the commit, by its folder or URL; empty: the recorded folder, or `here`."""
    here: Path
    sandbox: str = "auto"
    image: str = ""
    dockerfile: str = ""
    network: bool = False
    steps: tuple[int, int] | None = None


class _Session(NamedTuple):
    """What the trace holds."""

    workspaces: Workspaces
    clone: Clone
    facts: Facts
    tree: Tree
    """At the start."""
    contents: Source


def replay(asked: Asked, teller: Teller) -> Report:
    """Replay a session's steps.

    Args:
        asked: which, and how.
        teller: is told how far it is.

    Raises:
        ValueError: the trace cannot be replayed, or what was asked for is not in it.
        SandboxError: the environment failed.
        OSError: files cannot be read or written.
    """
    with interruptible(), ExitStack() as stack, teller:
        session = _read(asked, stack)
        actions = plan(session.facts.commands, session.facts.changes, network=asked.network)
        first, last = _range(asked, actions)
        teller.total = last - first + 1
        scratch = stack.enter_context(scratch_folder())
        sandbox = choose(asked.sandbox, tell=teller.say)
        environment = _environment(asked, session, sandbox, scratch, teller)
        scene = _scene(asked, session, sandbox, environment)
        player = stack.enter_context(Player(scene))
        player.skip_to(actions[: first - 1])
        start = player.start
        steps = list(player.play(actions[first - 1 : last], teller.began))
        notes = [*_notes(session, scene), *player.notes]
    return msgspec.structs.replace(
        report(steps, notes),
        trace=str(asked.trace.resolve()),
        workspace=session.workspaces.root,
        commit=session.workspaces.commit,
        start=start,
        sandbox=sandbox.name,
        isolation=sandbox.isolation,
        image=environment.image.id,
        environment=environment.lock.digest(),
    )


def _read(asked: Asked, stack: ExitStack) -> _Session:
    reader = stack.enter_context(TraceReader.open(asked.trace))
    workspaces = _workspaces(reader)
    named = None
    if asked.repository:
        named = repository(asked.repository, workspaces.commit, os.environ)
    clone = find_clone(workspaces, named, asked.here)
    objects = stack.enter_context(Objects(clone.git, workspaces.algorithm))
    return _Session(
        workspaces=workspaces,
        clone=clone,
        facts=read(reader, workspaces),
        tree=workspaces.tree(workspaces.steps[0], clone.leaves),
        contents=Source(workspaces, objects),
    )


def _workspaces(reader: TraceReader) -> Workspaces:
    root = reader.root().span.attributes
    source = root.get(semconv.IMPORT_SOURCE)
    if source:
        raise ValueError(
            f"{reader.path}: imported from a transcript of {source}, which holds no snapshots of "
            "the workspace: there is nothing to replay. Record a session with `traceproof record`"
        )
    try:
        return Workspaces(reader)
    except ValueError as error:
        raise ValueError(f"{error}; without them there is nothing to replay") from None


def _range(asked: Asked, actions: Sequence[Action]) -> tuple[int, int]:
    if not actions:
        raise ValueError(
            f"{asked.trace}: no tool call ran a command or changed a file: nothing to replay"
        )
    first, last = asked.steps or (1, len(actions))
    if not 1 <= first <= last:
        raise ValueError(f"--steps {first}-{last}: counted from 1, the lower number first")
    if last > len(actions):
        raise ValueError(f"--steps {first}-{last}: there are steps 1 to {len(actions)}")
    return first, last


def _environment(
    asked: Asked, session: _Session, sandbox: Sandbox, scratch: Path, teller: Teller
) -> Environment:
    folder = scratch / "start"
    umask = os.umask(0o022)
    try:
        write(session.tree, folder, session.contents, force=False)
    finally:
        os.umask(umask)
    workspaces, commit = session.workspaces, session.workspaces.commit
    clone = session.clone.git.folder if commit else None
    beside = asked.trace.resolve().parent / CONFIG
    date = find(clone, commit).date if clone else workspaces.steps[0].time
    texts = (command.text for command in session.facts.commands)
    recipe = recipe_for(
        folder,
        place_of(workspaces.root),
        image=asked.image,
        dockerfile=asked.dockerfile,
        config_file=beside if beside.is_file() else None,
        date=date.isoformat(),
        test_command="pytest" if any(map(_PYTEST.search, texts)) else "",
    )
    source = Tar(folder=folder, repository=clone, commit=commit, whole=True)
    return build(sandbox, recipe, source, on_progress=teller.doing)


def _scene(asked: Asked, session: _Session, sandbox: Sandbox, environment: Environment) -> Scene:
    workspaces, facts = session.workspaces, session.facts
    texts = (command.text for command in facts.commands)
    variables = {} if "LANG" in environment.image.environment else {"LANG": "C.UTF-8"}
    return Scene(
        sandbox=sandbox,
        image=_placed(environment.image, sandbox, place_of(workspaces.root)),
        setting=Setting(limits=Limits(output=OUTPUT), network=asked.network, environment=variables),
        start=dict(session.tree.leaves()),
        contents=session.contents,
        policy=_policy(session),
        algorithm=workspaces.algorithm,
        root=workspaces.root,
        commit=workspaces.commit,
        venvs=venvs(texts, (path for path, _ in session.tree.leaves())),
        user=_user(facts.root.attributes.get(semconv.CONSENT)),
        branch=str(facts.root.attributes.get(semconv.VCS_BRANCH, "")),
        environment=masked_names(facts.commands),
    )


def _user(consent: object) -> str:
    """Return the login name of who started the recording."""
    return str(consent.get("given_by", "")) if isinstance(consent, dict) else ""


def _placed(image: Image, sandbox: Sandbox, place: str) -> Image:
    """Return a local image with its workspace where it was recorded, as far as that can be had."""
    if sandbox.name != "local":
        return image
    moved = {k: v.replace(image.workspace, place) for k, v in image.environment.items()}
    return msgspec.structs.replace(image, workspace=place, environment=moved)


def _policy(session: _Session) -> Policy:
    """Return which files the recording looked at, as far as the clone still tells."""
    rule = str(session.facts.root.attributes.get(semconv.WORKSPACE_RULE, ""))
    if rule == RULE_ALL:
        return Policy(RULE_ALL, None)
    if rule != RULE_GIT:
        return Policy(rule, [DEFAULTS])
    try:
        return find_base(session.clone.git.folder, os.environ).policy
    except (GitError, OSError):
        return Policy(rule)


def _notes(session: _Session, scene: Scene) -> list[str]:
    notes = [*scene.sandbox.shortfalls(scene.setting).values()]
    if session.facts.alone:
        notes.append(
            f"{session.facts.alone} commands that the agent ran for itself are not replayed"
        )
    if not session.workspaces.commit:
        notes.append("the workspace was no git repository with a commit: there is no .git")
    left_out = session.workspaces.steps[0].left_out
    if left_out:
        notes.append(f"not in the trace, and so not in the workspace: {', '.join(left_out[:3])}")
    return notes


def steps_of(text: str) -> tuple[int, int] | None:
    """Read `--steps`: `A-B`, `A-`, or `A` alone.

    Raises:
        ValueError: it is none of these.
    """
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text.strip())
    if text and not found:
        raise ValueError(f"--steps {text!r}: give a number, or two like 3-5")
    return (int(found[1]), int(found[2] or found[1])) if found else None


__all__ = ["Asked", "Report", "Step", "replay", "steps_of"]
