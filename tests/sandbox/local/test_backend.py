from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from support import localboxes
from traceproof.sandbox.errors import ImageFailed, SandboxError
from traceproof.sandbox.local import backend, machine
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image, Setting


def test_it_says_what_it_is() -> None:
    assert (LocalSandbox().name, LocalSandbox().isolation) == ("local", "process")


def test_it_says_what_it_does_not_hold() -> None:
    with_nothing = LocalSandbox("").shortfalls(Setting())

    assert with_nothing.keys() >= {"cpus", "memory", "workspace", "temporary", "disk", "network"}
    assert "network" not in LocalSandbox("").shortfalls(Setting(network=True))
    if machine.best():
        assert LocalSandbox().shortfalls(Setting(file_order=1)).keys() == {"cpus", "memory"}


def test_an_image_that_is_none_is_an_error(tmp_path: Path) -> None:
    image = Image(id=str(tmp_path), workspace=str(tmp_path))

    with (
        pytest.raises(ImageFailed, match="is no local image"),
        LocalSandbox().start(image, Setting()),
    ):
        pass


def test_a_recorded_path_can_be_had_where_folders_are_covered(local_image: Image) -> None:
    wanted = "/home/somebody-else/their/project"
    image = msgspec.structs.replace(local_image, workspace=wanted)
    with LocalSandbox().start(image, Setting()) as box:
        if machine.best():
            assert box.workspace == wanted
        assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
    assert not Path("/home/somebody-else").exists()


def test_a_path_that_cannot_be_had_is_another_one(local_image: Image) -> None:
    image = msgspec.structs.replace(local_image, workspace="/no-such-folder/project")
    with LocalSandbox().start(image, Setting()) as box:
        assert box.workspace != image.workspace
        assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
        assert box.run(["pwd"], seconds=60).stdout.decode().strip() == box.workspace


def test_what_named_the_workspace_names_the_boxs() -> None:
    with (
        localboxes.image() as image,
        LocalSandbox("").start(
            msgspec.structs.replace(image, environment={"SOURCES": f"{image.workspace}/src:/x"}),
            Setting(),
        ) as box,
    ):
        told = box.run(["sh", "-c", "echo $SOURCES"], seconds=60).stdout.decode()

        assert told == f"{box.workspace}/src:/x\n"


def test_the_python_of_an_image_runs(tmp_path: Path) -> None:
    assert tmp_path.exists()
    if not machine.best():  # then it has to be where others may enter
        return
    with localboxes.image(python=True) as image, LocalSandbox().start(image, Setting()) as box:
        program = "import sys, ssl, json; print(sys.prefix)"
        result = box.run([Path(sys.executable).name, "-c", program], seconds=60)

    assert (result.exit_code, result.stdout.decode().strip()) == (0, sys.prefix), result


def test_a_store_that_others_may_not_enter_is_said_where_it_matters(local_image: Image) -> None:
    if machine.private_user() < 0:
        return
    closed = Path(local_image.id, "closed")
    shutil.copytree(Path(local_image.id, "source"), closed / "image" / "source")
    (closed / "image" / "workspace").mkdir()
    closed.chmod(0o700)
    inner = Image(id=f"{closed}/image", workspace=f"{closed}/image/workspace")
    try:
        with (
            pytest.raises(SandboxError, match="is closed to the user"),
            LocalSandbox("").start(inner, Setting()),
        ):
            pass
        if machine.best():
            with LocalSandbox().start(inner, Setting()) as box:
                assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
    finally:
        shutil.rmtree(closed)


def test_threads_of_ours_are_counted() -> None:
    assert backend._processes() >= 1
