"""An engine that goes away, is not there, or loses a box: one clear line, and nothing left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import docker.errors
import pytest

from support.engine_relay import collect, relay
from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import SandboxUnavailable
from traceproof.sandbox.protocol import Image, Setting

pytestmark = pytest.mark.engine


def during(
    engine: DockerSandbox,
    image: Image,
    folder: Path,
    use: Callable[[DockerBox, Callable[[], None]], None],
) -> str:
    """Start a box through a relay, use it with the relay cut, and see it gone all the same."""
    with relay(folder / "engine.sock") as between:
        sandbox = DockerSandbox(url=between.url)
        started: list[str] = []

        def use_one() -> None:
            with sandbox.start(image, Setting()) as box:
                started.append(box.id)
                use(box, between.cut)

        with pytest.raises(SandboxUnavailable) as raised:
            use_one()
        sandbox.client.close()
    with suppress(docker.errors.NotFound):  # it has gone already
        engine.client.wait(started[0], condition="removed", timeout=60)
    with pytest.raises(docker.errors.NotFound):
        engine.client.inspect_container(started[0])
    message = str(raised.value)
    del raised
    collect()
    return message


def test_it_goes_while_a_command_runs(
    engine: DockerSandbox, box_image: Image, tmp_path: Path
) -> None:
    def use(box: DockerBox, cut: Callable[[], None]) -> None:
        box.run(["sh", "-c", "echo; sleep 100"], seconds=90, on_output=lambda _n, _d: cut())

    message = during(engine, box_image, tmp_path, use)

    assert "is the engine running" in message
    assert "\n" not in message


def test_it_goes_between_commands(engine: DockerSandbox, box_image: Image, tmp_path: Path) -> None:
    def use(box: DockerBox, cut: Callable[[], None]) -> None:
        cut()
        box.run(["true"], seconds=60)

    during(engine, box_image, tmp_path, use)


def test_it_goes_while_files_go_in(engine: DockerSandbox, box_image: Image, tmp_path: Path) -> None:
    def use(box: DockerBox, cut: Callable[[], None]) -> None:
        def tar() -> Iterator[bytes]:
            yield b"\0" * 512
            cut()
            yield b"\0" * 512

        box.copy_in(tar(), "/tmp/x")

    during(engine, box_image, tmp_path, use)


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"cannot connect .*No such file or directory"):
        DockerSandbox(url=f"unix://{tmp_path}/none.sock")
    collect()


def test_somebody_removes_the_box(engine: DockerSandbox, box_image: Image) -> None:
    with (
        pytest.raises(SandboxUnavailable, match="the box was ended from outside"),
        engine.start(box_image, Setting()) as box,
    ):
        box.run(
            ["sh", "-c", "echo; sleep 100"],
            seconds=90,
            on_output=lambda _n, _d: engine.client.kill(box.id),
        )


def test_an_error_in_the_use_of_a_box_leaves_nothing(
    engine: DockerSandbox, box_image: Image
) -> None:
    started: list[str] = []

    def use_one() -> None:
        with engine.start(box_image, Setting()) as box:
            started.append(box.id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use_one()
    with pytest.raises(docker.errors.NotFound):
        engine.client.inspect_container(started[0])


def test_a_listener_that_fails_ends_the_run(engine: DockerSandbox, box_image: Image) -> None:
    def fail(_data: bytes) -> None:
        raise RuntimeError("the listener's own")

    with (
        pytest.raises(RuntimeError, match="the listener's own"),
        engine.start(box_image, Setting(), fail) as box,
    ):
        box.run(["sh", "-c", f"echo x >{box.channel}; sleep 100"], seconds=90)
