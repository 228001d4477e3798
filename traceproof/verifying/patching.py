"""Applying somebody's patch to a tree, in a folder of its own.

Git applies it as it does outside of a repository: nothing that a configuration names is run, and
nothing is written outside the folder or through a link.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from traceproof.checkout import write
from traceproof.recorder.workspace.tree import FILE, PROGRAM, Leaf, Tree, blob_id
from traceproof.verifying.contents import Contents, First, FromFolder, FromMemory
from traceproof.verifying.testfiles import changed

_MOST = 256 << 20


def apply(tree: Tree, contents: Contents, patch: Path, folder: Path) -> tuple[Tree, Contents]:
    """Apply a patch.

    Args:
        tree: what it is applied to.
        contents: the tree's.
        patch: as `git diff` prints it.
        folder: an empty one, which stays as long as the result is used.

    Raises:
        ValueError: it does not apply.
        OSError: it cannot be read.
    """
    if not patch.read_bytes().strip():
        raise ValueError(f"{patch}: the patch is empty")
    write(tree, folder, contents, force=False)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {
        "GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C",
    }  # fmt: skip
    command = ["git", "apply", "--whitespace=nowarn", "-p1", str(patch.resolve())]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise OSError("git is not installed: it is needed to apply a patch") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        why = lines[0].removeprefix("error: ") if lines else f"git ended with {done.returncode}"
        raise ValueError(f"{patch}: it does not apply: {why}")
    after = FromFolder(folder, tree.algorithm, whole=True)
    submodules = {path: leaf for path, leaf in tree.leaves() if leaf.mode == "160000"}
    return changed(after.tree, dict(submodules)), First(after.read, contents.read)


def from_tar(archive: Path, algorithm: str) -> tuple[dict[bytes, Leaf | None], Contents]:
    """Read the files of a tar archive, which stand in it by their paths in the workspace.

    Raises:
        ValueError: a path leads out of the workspace, or there is too much.
    """
    leaves: dict[bytes, Leaf | None] = {}
    held: dict[str, bytes] = {}
    room = _MOST
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile():
                continue
            path = os.path.normpath(member.name)
            room -= member.size
            if path.startswith(("/", "..")) or ".git" in PurePosixPath(path).parts:
                raise ValueError(f"{archive}: {member.name!r} is no path in a workspace")
            if room < 0:
                raise ValueError(f"{archive}: over {_MOST >> 20} MiB")
            file = tar.extractfile(member)
            data = file.read() if file else b""
            oid = blob_id(algorithm, data)
            held[oid] = data
            leaves[os.fsencode(path)] = Leaf(PROGRAM if member.mode & 0o100 else FILE, oid)
    if not leaves:
        raise ValueError(f"{archive}: there is no file in it")
    return leaves, FromMemory(held)
