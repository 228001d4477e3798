"""The workspace in a box, seen from outside: what changed there, and putting things there.

Nothing in the box is trusted: what it lists and packs is data, and a file's hash is worked out
here. `find`, `tar` and `xargs` of the image do the work.
"""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from traceproof.recorder.workspace.contents import MOST_FILE
from traceproof.recorder.workspace.ignore import Rules
from traceproof.recorder.workspace.policy import Policy
from traceproof.recorder.workspace.tree import FILE, LINK, PROGRAM, SUBMODULE, Leaf, blob_id
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import MIB, Box

OUTPUT = 2 * MOST_FILE
"""The output that a box's limits must let through."""

_PLAIN = ("env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C")
_FORMAT = r"%y\0%m\0%s\0%C@ %i\0%p\0"
_FIELDS = 5
_BATCH = 5000
_LONG = 900.0
_IGNORES = b".gitignore"


class Contents(Protocol):
    """Where the contents of recorded files come from."""

    def read(self, leaf: Leaf) -> Iterator[bytes]:
        """Yield a content piece by piece."""


class _Seen(NamedTuple):
    """A file's marks."""

    mode: str
    size: int
    marks: bytes


class Desk:
    """One box's workspace."""

    def __init__(
        self, box: Box, policy: Policy, known: Callable[[bytes], Leaf | None], algorithm: str
    ) -> None:
        """Begin without having looked.

        Args:
            box: the box.
            policy: which files the recording looked at.
            known: what the recording has at a path; such a file is looked at whatever the policy.
            algorithm: of the hashes.
        """
        self._box = box
        self._policy = policy
        self._known = known
        self._algorithm = algorithm
        self._seen: dict[bytes, _Seen] = {}
        self._shown: set[bytes] = set()
        self._rules: dict[bytes, Rules] = {}
        self._hidden: dict[bytes, bool] = {}
        self.large: set[bytes] = set()
        """Files that are too long to be recorded."""

    def look(self) -> dict[bytes, Leaf | None]:
        """Return what changed since the last look, by path.

        Raises:
            SandboxError: the box does not answer as it should.
        """
        now = dict(self._listed())
        changed = {path for path, seen in now.items() if self._seen.get(path) != seen}
        gone = self._seen.keys() - now.keys()
        found: dict[bytes, Leaf | None] = dict.fromkeys(gone & self._shown)
        self._shown -= gone
        self._seen = now
        if self._judge_anew({path for path in changed | gone if _is_ignores(path)}):
            changed = {*changed, *(now.keys() - self._shown)}
        wanted = sorted(path for path in changed if self._counts(path))
        self._shown |= set(wanted)
        found |= self._leaves(wanted)
        return found

    def put(self, leaves: dict[bytes, Leaf | None], contents: Contents) -> None:
        """Put files, links and programs there, and take away what is None; then look away.

        Raises:
            SandboxError: the box does not do it.
            ValueError, LookupError: a content is missing.
        """
        if not leaves:
            return
        names = b"".join(b"./" + path + b"\0" for path in sorted(leaves, reverse=True))
        self._run(["xargs", "-0", "rm", "-rf", "--"], names)
        there = {path: leaf for path, leaf in leaves.items() if leaf is not None}
        self._box.copy_in(_packed(there, contents), self._box.workspace)

    # --- what counts ------------------------------------------------------------------------------

    def _counts(self, path: bytes) -> bool:
        known = self._known(path)
        if known is not None:
            return known.mode != SUBMODULE
        return path in self._shown or not self._is_hidden(path)

    def _is_hidden(self, path: bytes) -> bool:
        """Tell whether git would ignore a path, or a folder that it is in."""
        folder, slash, _ = path.rpartition(b"/")
        if slash and self._folder_hidden(folder):
            return True
        return self._policy.hides(os.fsdecode(path), self._stack(folder))

    def _folder_hidden(self, path: bytes) -> bool:
        if path not in self._hidden:
            above, slash, _ = path.rpartition(b"/")
            beneath = bool(slash) and self._folder_hidden(above)
            known = self._known(path)
            submodule = known is not None and known.mode == SUBMODULE
            hides = self._policy.hides(os.fsdecode(path) + "/", self._stack(above))
            self._hidden[path] = beneath or submodule or hides
        return self._hidden[path]

    def _stack(self, folder: bytes) -> list[Rules]:
        """Return the rules of `.gitignore`s that hold in a folder, the nearest first."""
        parts = folder.split(b"/") if folder else []
        found = (self._rules.get(b"/".join(parts[:depth])) for depth in range(len(parts), -1, -1))
        return [rules for rules in found if rules is not None]

    def _judge_anew(self, changed: set[bytes]) -> bool:
        """Read the `.gitignore`s that changed; returns whether there were any."""
        if not changed or not self._policy.obeys:
            return False
        there = [path for path in changed if path in self._seen and self._seen[path].mode != LINK]
        texts = dict(self._contents(there))
        for path in changed:
            folder = path.rpartition(b"/")[0]
            self._rules.pop(folder, None)
            if path in texts:
                self._rules[folder] = Rules(texts[path], folder.split(b"/") if folder else ())
        self._hidden.clear()
        return True

    # --- what the box says ------------------------------------------------------------------------

    def _listed(self) -> Iterator[tuple[bytes, _Seen]]:
        said = self._run(
            ["find", ".", "-name", ".git", "-prune", "-o", "-path", "./.traceproof", "-prune", "-o",
             "(", "-type", "f", "-o", "-type", "l", ")", "-printf", _FORMAT],
            strict=False,
        )  # fmt: skip
        fields = said.split(b"\0")
        for at in range(0, len(fields) - _FIELDS, _FIELDS):
            kind, mode, size, marks, path = fields[at : at + _FIELDS]
            if path.startswith(b"./") and size.isdigit():
                yield path[2:], _Seen(_mode(kind, mode), int(size), marks)

    def _leaves(self, paths: Sequence[bytes]) -> dict[bytes, Leaf | None]:
        long = {path for path in paths if self._seen[path].size > MOST_FILE}
        self.large |= long
        found: dict[bytes, Leaf | None] = {path: self._known(path) for path in long}
        for path, data in self._contents([path for path in paths if path not in long]):
            found[path] = Leaf(self._seen[path].mode, blob_id(self._algorithm, data))
        return found

    def _contents(self, paths: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield what files hold, and where links lead."""
        for batch in self._batches(paths):
            names = b"".join(b"./" + path + b"\0" for path in batch)
            said = self._run(
                ["tar", "-c", "-f", "-", "--hard-dereference", "--no-recursion", "--null",
                 "--verbatim-files-from", "-T", "-"],
                names,
            )  # fmt: skip
            yield from _unpacked(said, set(batch))

    def _batches(self, paths: Sequence[bytes]) -> Iterator[list[bytes]]:
        batch: list[bytes] = []
        size = 0
        for path in paths:
            more = self._seen[path].size
            if batch and (size + more > MOST_FILE or len(batch) >= _BATCH):
                yield batch
                batch, size = [], 0
            batch.append(path)
            size += more
        if batch:
            yield batch

    def _run(self, words: Sequence[str], names: bytes = b"", *, strict: bool = True) -> bytes:
        result = self._box.run([*_PLAIN, *words], seconds=_LONG, stdin=[names] if names else [])
        if (strict and result.exit_code) or result.exit_code is None or result.stdout_lost:
            said = result.stderr.decode(errors="replace").strip()[-200:] or result.destroyed
            raise SandboxError(f"{words[0]} failed in the box: {said or result.exit_code}")
        return result.stdout


def _is_ignores(path: bytes) -> bool:
    return path.rpartition(b"/")[2] == _IGNORES


def _mode(kind: bytes, mode: bytes) -> str:
    if kind == b"l":
        return LINK
    return PROGRAM if int(mode or b"0", 8) & 0o100 else FILE


def _unpacked(data: bytes, wanted: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what a tar stream brings of what was asked for.

    Raises:
        SandboxError: it is none.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
            for entry in archive:
                path = os.fsencode(entry.name.removeprefix("./"))
                if path not in wanted:
                    continue
                if entry.issym():
                    yield path, os.fsencode(entry.linkname)
                elif entry.isreg() and (file := archive.extractfile(entry)) is not None:
                    yield path, file.read()
    except (tarfile.TarError, ValueError) as error:
        raise SandboxError(f"the box packed its files wrongly: {error}") from None


def _packed(leaves: dict[bytes, Leaf], contents: Contents) -> Iterator[bytes]:
    """Yield a tar stream of recorded files."""
    now = int(time.time())
    for path, leaf in sorted(leaves.items()):
        entry = tarfile.TarInfo(os.fsdecode(path))
        entry.mtime = now
        entry.mode = 0o755 if leaf.mode == PROGRAM else 0o644
        data = b"".join(contents.read(leaf))
        if leaf.mode == SUBMODULE:
            entry.type, entry.mode, data = tarfile.DIRTYPE, 0o755, b""
        elif leaf.mode == LINK:
            entry.type, entry.linkname, data = tarfile.SYMTYPE, os.fsdecode(data), b""
        entry.size = len(data)
        yield from _entry(entry, data)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _entry(entry: tarfile.TarInfo, data: bytes) -> Iterable[bytes]:
    yield entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    for at in range(0, len(data), MIB):
        yield data[at : at + MIB]
    yield b"\0" * (-len(data) % tarfile.BLOCKSIZE)
