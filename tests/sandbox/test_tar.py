from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.sandbox import tar
from traceproof.sandbox.tar import Room


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "a.txt").write_text("hello\n")
    (top / "sub" / "run.sh").write_bytes(bytes(range(256)) * 5000)
    (top / "sub" / "run.sh").chmod(0o755)
    (top / "sub" / "deep" / "ü\udc80").write_text("odd name")
    (top / "sub" / "link").symlink_to("../a.txt")
    (top / "sub").chmod(0o750)
    os.mkfifo(top / "pipe")
    return top


def names(stream: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(stream), errors="surrogateescape") as archive:
        return archive.getnames()


def made(*entries: tarfile.TarInfo, content: bytes = b"") -> list[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content))
    return [buffer.getvalue()]


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def listing(folder: Path) -> dict[str, tuple[int, object]]:
    found: dict[str, tuple[int, object]] = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        what: object = None
        if stat.S_ISLNK(status.st_mode):
            what = path.readlink()
        elif stat.S_ISREG(status.st_mode):
            what = path.read_bytes()
        found[str(path.relative_to(folder))] = (stat.S_IMODE(status.st_mode), what)
    return found


def test_what_is_packed_is_unpacked(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    tar.unpack(tar.pack(tree), out)

    (tree / "pipe").unlink()
    assert listing(out) == listing(tree)
    assert (out / "a.txt").stat().st_mtime == int((tree / "a.txt").stat().st_mtime)
    assert (out / "sub").stat().st_mtime == int((tree / "sub").stat().st_mtime)


def test_the_same_tree_is_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    tar.unpack(tar.pack(tree), copy)

    assert b"".join(tar.pack(copy, mtime=0)) == b"".join(tar.pack(tree, mtime=0))


def test_a_seed_is_another_order_of_the_same(tree: Path) -> None:
    for number in range(20):
        (tree / f"{number:02}").touch()
    straight, one, again, two = (
        names(b"".join(tar.pack(tree, seed=seed))) for seed in (None, 1, 1, 2)
    )

    assert one == again
    assert sorted(one) == sorted(two) == sorted(straight)
    assert len({tuple(straight), tuple(one), tuple(two)}) == 3
    assert one.index("sub") < one.index("sub/deep")


def test_a_prefix_is_put_before_all(tree: Path) -> None:
    assert all(name.startswith("top/") for name in names(b"".join(tar.pack(tree, prefix="top/"))))


def test_files_in_memory_are_packed(tmp_path: Path) -> None:
    tar.unpack(tar.pack_files({"b/c": b"c", "a": b"a" * 1000}, mode=0o600), tmp_path)

    assert (tmp_path / "b" / "c").read_bytes() == b"c"
    assert (tmp_path / "a").read_bytes() == b"a" * 1000
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_what_is_there_is_replaced_by_name(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "target").write_text("not written to")
    (tmp_path / "a").symlink_to("target")

    tar.unpack(tar.pack_files({"a": b"new"}), tmp_path)

    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "target").read_text() == "not written to"
    assert (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "stream",
    [
        made(entry("/etc/x")),
        made(entry("../x")),
        made(entry("a/../../x")),
        made(entry("device", tarfile.CHRTYPE)),
        made(entry("pipe", tarfile.FIFOTYPE)),
        made(entry("link", tarfile.SYMTYPE, "/etc/passwd")),
        made(entry("a/link", tarfile.SYMTYPE, "../../x")),
        made(entry("link", tarfile.LNKTYPE, "../x")),
        made(entry("link", tarfile.LNKTYPE, ".")),
        made(entry("f"), entry("f/x")),
        made(entry("d", tarfile.DIRTYPE), entry("d")),
    ],
)
def test_what_leads_outside_or_has_no_place_is_refused(stream: list[bytes], tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()

    with pytest.raises(ValueError, match=r".+"):
        tar.unpack(stream, inner)
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_no_link_is_gone_through(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir()
    outer.mkdir()
    stream = made(entry("link", tarfile.SYMTYPE, str(outer)), entry("link/x"))

    with pytest.raises(ValueError, match="no folder"):
        tar.unpack(stream, inner, links="any")
    assert list(outer.iterdir()) == []
    assert (inner / "link").readlink() == outer


def test_hard_links_within_are_made(tmp_path: Path) -> None:
    stream = made(entry("d/one"), entry("two", tarfile.LNKTYPE, "d/one"), content=b"x")
    tar.unpack(stream, tmp_path)

    assert (tmp_path / "two").samefile(tmp_path / "d" / "one")


def test_no_mode_brings_another_user(tmp_path: Path) -> None:
    odd = entry("program")
    odd.mode = 0o6755
    tar.unpack(made(odd), tmp_path)

    assert stat.S_IMODE((tmp_path / "program").stat().st_mode) == 0o755


@pytest.mark.parametrize("room", [Room(bytes=10), Room(entries=1)])
def test_no_more_comes_than_there_is_room_for(room: Room, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than"):
        tar.unpack(tar.pack_files({"a": b"123456", "b": b"123456"}), tmp_path, room=room)


@pytest.mark.parametrize("stream", [b"", b"no tar" * 1000, b"\0" * 100])
def test_what_is_no_tar_is_refused(stream: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no whole tar"):
        tar.unpack([stream], tmp_path)


def test_a_stream_that_ends_early_is_refused(tree: Path, tmp_path: Path) -> None:
    whole = b"".join(tar.pack(tree))
    out = tmp_path / "out"
    out.mkdir()

    with pytest.raises(ValueError, match="no whole tar"):
        tar.unpack([whole[: len(whole) // 2 - 100]], out)


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * (3 << 20))
    stream = tar.pack(tmp_path)
    next(stream)
    file.write_bytes(b"")

    with pytest.raises(ValueError, match="shorter"):
        list(stream)


@given(data=st.data())
def test_chunks_may_be_of_any_size(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = {"a": b"1" * 700, "b/c": b"2", "d": b""}
    whole = b"".join(tar.pack_files(files))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    chunks = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    out = tmp_path_factory.mktemp("out")
    tar.unpack(chunks, out)

    assert {name: (out / name).read_bytes() for name in files} == files


def test_orders_differ_by_folder_and_are_sorted_by_bytes() -> None:
    some = [f"{i}" for i in range(30)]

    assert tar.in_order(["b", "a", "B"], None, "") == ["B", "a", "b"]
    assert tar.in_order(some, 7, "x") != tar.in_order(some, 7, "y")
    assert tar.in_order(some, 7, "x") == tar.in_order(reversed(some), 7, "x")
