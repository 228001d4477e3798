"""Tar streams into and out of boxes: the same tree is the same bytes, and none leads outside.

Streams are chunks of bytes; nothing is run, and no file of this machine is written but under the
folder that is given. Folders, files and links alone: devices, pipes and sockets have no place.
"""

from __future__ import annotations

import io
import os
import posixpath
import random
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

_CHUNK = 1 << 20
_MODES = 0o777
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_END = b"\0" * 1024

Links = Literal["inside", "any"]
"""`inside`: a link that leads out is an error. `any`: links are kept as text, never followed."""


class Room(NamedTuple):
    """How much a stream may bring."""

    bytes: int = 8 << 30
    entries: int = 1_000_000


def in_order(names: Iterable[str], seed: int | None, folder: str) -> list[str]:
    """Return the names in a folder in the order in which to create them.

    Args:
        names: in any order.
        seed: another one is another order; None: sorted.
        folder: the folder's path in the tree; two folders with the same names differ in order.
    """
    ordered = sorted(names, key=os.fsencode)
    if seed is not None:
        random.Random(f"{seed}:{folder}").shuffle(ordered)  # noqa: S311 - it hides nothing
    return ordered


def pack(
    folder: Path, *, seed: int | None = None, mtime: int | None = None, prefix: str = ""
) -> Iterator[bytes]:
    """Yield what is in a folder as a tar stream.

    Args:
        folder: the folder; it is not in the stream itself.
        seed: of the order of the entries, see `in_order`. A folder comes before what is in it.
        mtime: the time of every entry, Unix seconds; None: that of the file.
        prefix: put before every path; must end with a slash.
    """
    for path in _walk(folder, seed):
        status = os.lstat(folder / path)
        entry = _entry(prefix + path, status, mtime)
        if stat.S_ISREG(status.st_mode):
            yield from _with_content(entry, folder / path)
        elif stat.S_ISLNK(status.st_mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, str((folder / path).readlink())
            yield _head(entry)
        elif stat.S_ISDIR(status.st_mode):
            entry.type = tarfile.DIRTYPE
            yield _head(entry)
    yield _END


def pack_files(files: Mapping[str, bytes], *, mode: int = 0o644, mtime: int = 0) -> Iterator[bytes]:
    """Yield a tar stream of files that are in memory; their folders come by themselves."""
    for path in sorted(files):
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode, entry.mtime = len(files[path]), mode, mtime
        yield _head(entry) + files[path] + _padding(entry.size)
    yield _END


def unpack(
    stream: Iterable[bytes],
    folder: Path | int,
    *,
    links: Links = "inside",
    room: Room = Room(),  # noqa: B008 - it cannot be changed
) -> None:
    """Unpack a tar stream under a folder.

    Args:
        stream: the chunks, of any size.
        folder: an existing folder, or a descriptor of one. What is in it is replaced by name.
        links: which symbolic links may come. None is ever gone through.
        room: how much may come.

    Raises:
        ValueError: it is no tar stream, or something in it has no place here: an absolute path, a
            `..`, a device, a link that leads outside, more than there is room for.
        OSError: a file cannot be written.
    """
    top = os.dup(folder) if isinstance(folder, int) else os.open(folder, os.O_DIRECTORY)
    folders = []
    try:
        with closing(_open(stream)) as archive:
            for entry in _within(archive, room):
                _place(archive, entry, top, links)
                if entry.isdir():
                    folders.append(entry)
        for entry in reversed(folders):
            _finish(top, entry)
    except tarfile.TarError as error:
        raise ValueError(f"this is no whole tar stream: {error}") from None
    finally:
        os.close(top)


def _walk(folder: Path, seed: int | None) -> Iterator[str]:
    pending = [""]
    while pending:
        inside = pending.pop()
        for name in in_order(os.listdir(folder / inside), seed, inside):  # noqa: PTH208
            path = posixpath.join(inside, name)
            yield path
            if stat.S_ISDIR(os.lstat(folder / path).st_mode):
                pending.append(path)


def _entry(path: str, status: os.stat_result, mtime: int | None) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mode = status.st_mode & _MODES
    entry.mtime = int(status.st_mtime) if mtime is None else mtime
    return entry


def _head(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


def _with_content(entry: tarfile.TarInfo, path: Path) -> Iterator[bytes]:
    """Yield a file; one that grows or shrinks meanwhile is an error, never a broken stream."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        left = entry.size = os.fstat(file.fileno()).st_size
        yield _head(entry)
        while left:
            chunk = file.read(min(left, _CHUNK))
            if not chunk:
                raise ValueError(f"{path} became shorter while it was read")
            left -= len(chunk)
            yield chunk
    yield _padding(entry.size)


class _Chunks(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _open(stream: Iterable[bytes]) -> tarfile.TarFile:
    file = cast("IO[bytes]", io.BufferedReader(_Chunks(stream), _CHUNK))
    return tarfile.open(fileobj=file, mode="r|", errors="surrogateescape")


def _within(archive: tarfile.TarFile, room: Room) -> Iterator[tarfile.TarInfo]:
    left, entries = room.bytes, room.entries
    for entry in archive:
        left, entries = left - entry.size, entries - 1
        if left < 0 or entries < 0:
            raise ValueError(
                f"the stream brings more than {room.bytes} bytes, {room.entries} files"
            )
        yield entry
        archive.members = []  # type: ignore[attr-defined]  # else all are kept in memory


def _place(archive: tarfile.TarFile, entry: tarfile.TarInfo, top: int, links: Links) -> None:
    names = _names(entry.name)
    if not names:
        return
    folder = _folder(top, names[:-1])
    try:
        if entry.isdir():
            os.close(_enter(folder, names[-1]))
        elif entry.isreg():
            _write(folder, names[-1], archive, entry)
        elif entry.issym():
            _link(folder, names, entry, links)
        elif entry.islnk():
            _link_hard(folder, names[-1], entry, top)
        else:
            raise ValueError(f"{entry.name!r} is neither a file, a folder nor a symbolic link")
    finally:
        os.close(folder)


def _names(path: str) -> list[str]:
    names = [name for name in path.split("/") if name not in ("", ".")]
    if path.startswith("/") or ".." in names:
        raise ValueError(f"{path!r} leads outside")
    return names


def _folder(top: int, names: list[str]) -> int:
    """Open a folder step by step, through no link, making what is missing."""
    folder = os.dup(top)
    for name in names:
        try:
            deeper = _enter(folder, name)
        finally:
            os.close(folder)
        folder = deeper
    return folder


def _enter(folder: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=folder)
        return os.open(name, _FOLDER, dir_fd=folder)
    except NotADirectoryError:
        raise ValueError(f"{name!r} is no folder, and something is to be put into it") from None


def _finish(top: int, entry: tarfile.TarInfo) -> None:
    """Give a folder its mode and time, once all is in it."""
    number = _folder(top, _names(entry.name))
    try:
        os.fchmod(number, entry.mode & _MODES)
        os.utime(number, (entry.mtime, entry.mtime))
    finally:
        os.close(number)


def _write(folder: int, name: str, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
    content = archive.extractfile(entry)
    if content is None:
        raise ValueError(f"{entry.name!r} has no content")
    _remove(folder, name)
    with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=folder), "wb") as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), entry.mode & _MODES)
        os.utime(file.fileno(), (entry.mtime, entry.mtime))


def _link(folder: int, names: list[str], entry: tarfile.TarInfo, links: Links) -> None:
    if links == "inside":
        depth = posixpath.normpath(posixpath.join(*names[:-1], entry.linkname))
        if entry.linkname.startswith("/") or depth.split("/")[0] == "..":
            raise ValueError(f"{entry.name!r} is a link that leads outside")
    _remove(folder, names[-1])
    os.symlink(entry.linkname, names[-1], dir_fd=folder)


def _link_hard(folder: int, name: str, entry: tarfile.TarInfo, top: int) -> None:
    names = _names(entry.linkname)
    if not names:
        raise ValueError(f"{entry.name!r} is a link to a folder")
    other = _folder(top, names[:-1])
    try:
        _remove(folder, name)
        os.link(names[-1], name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        os.close(other)


def _remove(folder: int, name: str) -> None:
    """Make room for a file or a link; a folder stays, and is an error of its own then."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        raise ValueError(f"{name!r} is a folder already") from None
