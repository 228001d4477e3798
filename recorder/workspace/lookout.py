"""Looks at a workspace that may be anything: with a time limit, and without ever raising.

Whatever reads the disk runs on a thread of its own, which is left to itself when it hangs: a file
system can keep a reader for ever. What went wrong is kept in `problems`, a line each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from traceproof.recorder.workspace import patches
from traceproof.recorder.workspace.base import Base, find_base
from traceproof.recorder.workspace.changes import Change
from traceproof.recorder.workspace.contents import Contents, Learn
from traceproof.recorder.workspace.events import Store
from traceproof.recorder.workspace.patches import NoPatchError, Patches
from traceproof.recorder.workspace.reading import Deadline, TooSlowError
from traceproof.recorder.workspace.scan import TooManyError
from traceproof.recorder.workspace.snapshots import Hashes, Snapshots
from traceproof.recorder.workspace.tree import Tree

START_SECONDS = 120.0
LOOK_SECONDS = 20.0
_GRACE = 5.0
_PATIENCE = 2
"""Looks in a row that may take too long before no more is looked."""

_MOST_PROBLEMS = 20
MOST_FINAL = 64 << 20

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Which workspace: the folder an agent works in, its environment, and the store."""

    folder: Path
    environment: Mapping[str, str]
    store: Path
    ignored: bool = False
    """Record what git ignores too."""


class Started(NamedTuple):
    """What the first look found."""

    base: Base
    hashes: Hashes
    """Of the commit's tree, and of the workspace's."""
    changes: list[Change]


class Lookout:
    """One workspace under observation, from `begin` to `close`."""

    def __init__(self, place: Place, store: Store, learn: Learn) -> None:
        """Begin nothing yet; contents go to `store`, and `learn` is shown them before."""
        self._place = place
        self._store = store
        self._learn = learn
        self._starting: _Errand[Started] | None = None
        self._snapshots: Snapshots | None = None
        self._patches: Patches | None = None
        self._slow = 0
        self._broken = self._hangs = False
        self.base = Base(str(place.folder))
        self.problems: list[str] = []
        self.cost = 0.0
        """Seconds that the last look took."""

    def begin(self) -> None:
        """Begin to look for the first time, on a thread of its own."""
        self._starting = _Errand(self._start)

    def wait(self, seconds: float) -> None:
        """Wait until the first look has ended, up to some seconds; from any thread."""
        errand = self._starting
        if errand is not None:
            errand.wait(seconds)

    def start(self) -> Started | None:
        """Wait for the first look; returns what it found, once. Else None."""
        if self._starting is None:
            return None
        errand, self._starting = self._starting, None
        return self._await(errand, START_SECONDS)

    @property
    def pending(self) -> list[Change]:
        """What was found to have changed, and was not taken."""
        hangs = self._snapshots is None or self._hangs
        return [] if hangs or self._snapshots is None else list(self._snapshots.pending.values())

    def look(self) -> bool:
        """Find out what changed since the last look; False where that cannot be done."""
        snapshots = self._snapshots
        if snapshots is None or self._broken:
            return False
        clock = time.monotonic()

        def look() -> bool:
            snapshots.look(Deadline(LOOK_SECONDS))
            return True

        done = self._await(_Errand(look), LOOK_SECONDS)
        self.cost = time.monotonic() - clock
        return bool(done)

    def take(self, changes: Sequence[Change]) -> Hashes:
        """Take pending changes into the tree."""
        if self._snapshots is None:
            raise RuntimeError("there are no snapshots")
        return self._snapshots.take(changes)

    def diff(self, changes: Sequence[Change]) -> bytes:
        """Return the diff of some changes; empty where none can be made, which is a problem."""
        return self._diff(changes, patches.MOST)

    def final_diff(self) -> bytes:
        """Return the diff from the start to now."""
        if self._snapshots is None or self._hangs:
            return b""
        return self._diff(self._snapshots.since_start(), MOST_FINAL)

    def close(self) -> None:
        """End it; nothing is left on the disk."""
        if self._starting is not None:
            self.start()
        self.forget()

    def forget(self) -> None:
        """Look no more, and remove at once what is on the disk; from any thread."""
        self._broken = True
        held, self._patches = self._patches, None
        if held is not None:
            held.close()

    # --- on a thread of its own -------------------------------------------------------------------

    def _start(self) -> Started:
        deadline = Deadline(START_SECONDS)
        place = self._place
        base = find_base(place.folder, place.environment, ignored=place.ignored)
        self.problems += base.problems
        _refuse_homes(base, place.environment)
        tree, held = Tree(base.algorithm), Tree(base.algorithm)
        for path, leaf in base.leaves.items():
            tree.put(path, leaf)
            held.put(path, leaf)
        contents = Contents(self._store, held, learn=self._learn)
        snapshots = Snapshots(base, contents, tree, store=str(place.store))
        self._open_patches(base)
        snapshots.on_kept = self._put
        snapshots.start(deadline)
        changes = list(snapshots.pending.values())
        hashes = snapshots.take(changes)
        snapshots.begin()
        self.base, self._snapshots = base, snapshots
        return Started(base, hashes, changes)

    def _open_patches(self, base: Base) -> None:
        folder = self._place.store / "workspaces"
        try:
            patches.sweep(folder)
            self._patches = Patches(folder, self._place.environment, base.algorithm, base.objects)
        except OSError as error:
            self._note(f"no diffs: {error.strerror}")

    def _put(self, data: bytes) -> None:
        if self._patches is None:
            return
        try:
            self._patches.put(data)
        except OSError as error:
            self._note(f"no more diffs: {error.strerror}")
            self._patches.close()
            self._patches = None

    # --- what goes wrong --------------------------------------------------------------------------

    def _diff(self, changes: Sequence[Change], most: int) -> bytes:
        if self._patches is None:
            return b""
        try:
            return self._patches.diff(changes, most)
        except (NoPatchError, OSError) as error:
            self._note(f"no diff of some changes: {error}")
            return b""

    def _await(self, errand: _Errand[T], seconds: float) -> T | None:
        try:
            result = errand.result(seconds + _GRACE)
        except _HangsError:
            self._broken = self._hangs = True
            self._note(f"no more snapshots: the disk did not answer within {seconds:g} s")
            return None
        except (TooSlowError, TooManyError) as error:
            self._slow += 1
            self._broken = self._slow >= _PATIENCE
            self._note(f"{'no more snapshots' if self._broken else 'no snapshot'}: {error}")
            return None
        except OSError as error:
            self._note(f"no snapshot: {error.strerror or error}")
            return None
        except Exception as error:
            log.exception("a snapshot failed")
            self._note(f"no snapshot: {type(error).__name__}: {error}")
            return None
        self._slow = 0
        return result

    def _note(self, line: str) -> None:
        if line not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(line)


class _HangsError(Exception):
    """A thread did not come back."""


class _Errand(Generic[T]):
    """Something that runs on a thread, which nobody waits for at the end of the process."""

    def __init__(self, action: Callable[[], T]) -> None:
        self._action = action
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="traceproof-workspace", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)

    def result(self, seconds: float) -> T:
        self.wait(seconds)
        if self._thread.is_alive():
            raise _HangsError
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._action())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._error = error


def _refuse_homes(base: Base, environment: Mapping[str, str]) -> None:
    """Refuse what is nobody's project: a home; the root of all, or what homes are in.

    Raises:
        TooManyError: it is one of these.
    """
    root, home = Path(base.root), Path(environment.get("HOME") or "/nonexistent")
    try:
        root, home = root.resolve(), home.resolve()
    except OSError:
        return
    if root == home or (not base.objects and root in (Path("/"), *home.parents)):
        raise TooManyError(f"{root} is no project's folder, but a home or what homes are in")
