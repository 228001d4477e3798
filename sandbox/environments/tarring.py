"""Tar streams of trees, the same bytes for the same tree; and a digest of a tree's content.

Nothing is unpacked here.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 18
_LEFT_OUT: Final = frozenset({".git"})


def one_file(name: str, content: bytes, mode: int = 0o644) -> Iterator[bytes]:
    """Yield a tar stream of one file."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    yield entry.tobuf(tarfile.PAX_FORMAT)
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)


def tree(folder: Path, mtime: float | None = None) -> Iterator[bytes]:
    """Yield a tar stream of a folder's files, links and folders, sorted; sockets and the like not.

    Args:
        folder: what is packed; its own name is not in the stream.
        mtime: Unix seconds for every entry; None: what each has.
    """
    for path in _walk(folder):
        entry = _entry(folder, path, mtime)
        yield entry.tobuf(tarfile.PAX_FORMAT)
        if entry.isreg():
            yield from _content(path, entry.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def digest(folder: Path) -> str:
    """Return a digest of a tree: names, kinds, executable bits, contents; `.git` is left out."""
    found = hashlib.sha256()
    for path in _walk(folder, _LEFT_OUT):
        status = path.lstat()
        name = os.fsencode(path.relative_to(folder))
        found.update(b"%d:%s" % (len(name), name))
        if stat.S_ISLNK(status.st_mode):
            found.update(b"l" + os.fsencode(path.readlink()) + b"\0")
        elif stat.S_ISREG(status.st_mode):
            kind = b"x" if status.st_mode & stat.S_IXUSR else b"f"
            found.update(kind + _sha256(path))
        else:
            found.update(b"d")
    return found.hexdigest()


def _walk(folder: Path, without: frozenset[str] = frozenset()) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
        if entry.name in without:
            continue
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
            yield from _walk(Path(entry.path))


def _entry(folder: Path, path: Path, mtime: float | None) -> tarfile.TarInfo:
    status = path.lstat()
    entry = tarfile.TarInfo(str(path.relative_to(folder)))
    entry.mtime = status.st_mtime if mtime is None else mtime
    if stat.S_ISLNK(status.st_mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        entry.mode = 0o777
    elif stat.S_ISDIR(status.st_mode):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    else:
        entry.size = status.st_size
        entry.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    return entry


def _content(path: Path, size: int) -> Iterator[bytes]:
    """Yield exactly so many bytes, padded to whole blocks, whatever the file does meanwhile."""
    left = size
    with path.open("rb") as file:
        while left:
            data = file.read(min(_CHUNK, left)) or bytes(min(_CHUNK, left))
            left -= len(data)
            yield data
    if size % tarfile.BLOCKSIZE:
        yield bytes(-size % tarfile.BLOCKSIZE)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def packed(folder: Path) -> bytes:
    """Return the whole stream of a small tree."""
    stream = io.BytesIO()
    stream.writelines(tree(folder))
    return stream.getvalue()
