from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError
from traceproof.sandbox.protocol import MIB, Image, Limits, Setting

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shared(engine: DockerSandbox, box_image: Image) -> Iterator[DockerBox]:
    with engine.start(box_image, Setting(environment={"SET": "setting"})) as box:
        yield box


@pytest.fixture
def box(shared: DockerBox) -> DockerBox:
    shared.reset()
    return shared


def sh(box: DockerBox, script: str, **options: Any) -> str:
    result = box.run(["sh", "-c", script], seconds=60, **options)
    assert (result.exit_code, result.stderr) == (0, b""), result
    return result.stdout.decode()


def tar(files: dict[str, bytes]) -> list[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    return [buffer.getvalue()]


def test_a_command_gives_its_exit_code_and_what_it_wrote(box: DockerBox) -> None:
    result = box.run(["sh", "-c", "echo out; echo err >&2; exit 3"], seconds=60)

    assert (result.exit_code, result.signal) == (3, None)
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    assert 0 < result.seconds < 60


def test_a_command_that_a_signal_ends_says_which(box: DockerBox) -> None:
    result = box.run(["sh", "-c", "kill -SEGV $$"], seconds=60)

    assert (result.exit_code, result.signal, result.stderr) == (None, 11, b"")


def test_a_command_that_is_not_there_is_a_result(box: DockerBox) -> None:
    result = box.run(["no-such-program"], seconds=60)

    assert result.exit_code == 127
    assert b"no-such-program" in result.stderr


def test_a_folder_that_is_not_there_is_a_result(box: DockerBox) -> None:
    result = box.run(["true"], seconds=60, cwd="/no/such")

    assert result.exit_code == 126
    assert b"/no/such" in result.stderr


def test_it_runs_as_work_in_the_workspace(box: DockerBox) -> None:
    assert sh(box, "id -un; id -u; pwd; echo $HOME").split() == [
        "work", "1000", box.workspace, "/home/work",
    ]  # fmt: skip


def test_the_workspace_is_the_images_in_sorted_order(box: DockerBox) -> None:
    assert sh(box, "cat a.txt; find . -type f | LC_ALL=C sort").split() == [
        "hello", "./a.txt", "./b.txt", "./sub/c.txt", "./sub/deep/d.sh",
    ]  # fmt: skip


def test_environments_are_the_images_the_settings_and_the_runs(box: DockerBox) -> None:
    told = sh(box, "echo $OF_THE_IMAGE $SET $RUN", environment={"RUN": "run"})

    assert told == "1 setting run\n"


def test_a_variable_of_the_command_does_not_reach_what_watches_over_it(box: DockerBox) -> None:
    result = box.run(["true"], seconds=60, environment={"LD_PRELOAD": "/no/such.so"})

    assert result.exit_code == 0
    assert result.stderr.count(b"/no/such.so") == 1  # the command's own loader


def test_a_command_with_an_equals_sign_is_a_command(box: DockerBox) -> None:
    sh(box, "printf '#!/bin/sh\\necho ran' >/tmp/a=b; chmod +x /tmp/a=b")

    assert box.run(["/tmp/a=b"], seconds=60).stdout == b"ran\n"


def test_a_command_that_the_engine_cannot_be_told_is_refused(box: DockerBox) -> None:
    for word in ("a\0b", "\udc80"):
        with pytest.raises(ValueError, match=r"NUL|surrogates"):
            box.run(["echo", word], seconds=60)


def test_stdin_is_fed_while_output_is_taken(box: DockerBox) -> None:
    chunk = bytes(range(256)) * 4096
    result = box.run(["cat"], seconds=60, stdin=[chunk] * 8)

    assert result.stdout == chunk * 8


def test_without_stdin_a_command_reads_the_end_at_once(box: DockerBox) -> None:
    assert box.run(["cat"], seconds=60).exit_code == 0


def test_stdin_that_nobody_reads_is_no_harm(box: DockerBox) -> None:
    assert box.run(["true"], seconds=60, stdin=[b"x" * MIB] * 8).exit_code == 0


def test_output_is_told_in_order(box: DockerBox) -> None:
    heard: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def listen(name: str, data: bytes) -> None:
        heard[name] += data

    script = "for i in $(seq 1000); do echo $i; echo $i >&2; done"
    result = box.run(["sh", "-c", script], seconds=60, on_output=listen)

    assert heard == {"stdout": result.stdout, "stderr": result.stderr}
    assert result.stdout.split() == [b"%d" % i for i in range(1, 1001)]


def test_time_that_is_up_ends_a_command(box: DockerBox) -> None:
    result = box.run(["sleep", "60"], seconds=0.5)

    assert (result.timed_out, result.exit_code, result.signal) == (True, None, 15)
    assert result.destroyed == ""
    assert sh(box, "echo usable") == "usable\n"


def test_nothing_a_command_started_goes_on(box: DockerBox) -> None:
    box.run(["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & sleep 1000 &"], seconds=60)

    assert "sleep" not in sh(box, "cat /proc/[0-9]*/comm")


def test_grade_owns_what_work_must_not_change(box: DockerBox) -> None:
    box.copy_in(tar({"job.json": b"{}"}), box.private, user="grade")

    assert sh(box, f"cat {box.private}/job.json") == "{}"
    for attempt in ("echo x >job.json", "rm -f job.json", "touch other", "chmod 777 ."):
        result = box.run(["sh", "-c", attempt], seconds=60, cwd=box.private)
        assert result.exit_code != 0
    assert sh(box, f"ls {box.private}", user="grade") == "job.json\n"


def test_files_go_in_and_come_out(box: DockerBox) -> None:
    data = bytes(range(256)) * 1000
    box.copy_in(tar({"in/x.bin": data}), f"{box.workspace}/new")

    assert box.copy_out(f"{box.workspace}/new/in/x.bin") == data


def test_what_is_no_file_does_not_come_out(box: DockerBox) -> None:
    sh(box, "ln -s /etc/passwd link; mkfifo fifo; head -c 2000 /dev/zero >big")
    with pytest.raises(FileNotFoundError):
        box.copy_out(f"{box.workspace}/none")
    for name in ("link", "fifo", "sub"):
        with pytest.raises(ValueError, match="not a regular file"):
            box.copy_out(f"{box.workspace}/{name}")
    with pytest.raises(ValueError, match="larger than 1,999 bytes"):
        box.copy_out(f"{box.workspace}/big", limit=1999)


def test_reset_makes_all_as_it_was(box: DockerBox) -> None:
    everything = (
        "find . /tmp /var/tmp /run /dev/shm /dev/mqueue $HOME -printf '%p %m %u %s\\n' 2>&1 | sort"
    )
    before = sh(box, everything)
    sh(
        box,
        "rm a.txt; echo more >>b.txt; chmod 0 sub; chmod 500 .;"
        "mkdir -p /tmp/x/y; chmod 0 /tmp/x; echo 1 >/dev/shm/s; echo 1 >$HOME/.profile;"
        "touch /run/r /var/tmp/v '/tmp/\n-odd *'; chmod 0 $HOME",
    )

    box.reset()

    assert sh(box, everything) == before
    assert sh(box, "cat a.txt b.txt") == "hello\nb\n"


def test_files_are_made_in_the_order_of_a_seed(engine: DockerSandbox, box_image: Image) -> None:
    def listed(order: int | None) -> str:
        with engine.start(box_image, Setting(file_order=order)) as box:
            return sh(box, "find . ; find . -type f -exec cat {} +")

    orders = {seed: listed(seed) for seed in (None, 1, 2, 3, 4)}

    assert listed(1) == orders[1]
    assert listed(None) == orders[None]
    assert len(set(orders.values())) > 1
    assert len({"".join(sorted(order)) for order in orders.values()}) == 1


def test_a_workspace_below_another_folder_of_the_box(
    engine: DockerSandbox, box_image: Image
) -> None:
    for workspace in ("/tmp/some/project", "/home/work/project", "/project"):
        image = Image(id=box_image.id, workspace=workspace)
        with engine.start(image, Setting()) as box:
            sh(box, "rm -r *; touch /tmp/other")
            box.reset()

            assert sh(box, "pwd; ls").split() == [workspace, "a.txt", "b.txt", "sub"]


def test_reports_arrive_in_order_and_before_the_command_returns(
    engine: DockerSandbox, box_image: Image
) -> None:
    heard: list[bytes] = []
    with engine.start(box_image, Setting(), heard.append) as box:
        for part in range(3):
            sh(box, f"for i in $(seq 1000); do echo {part} $i; done >{box.channel}")
            sent = "".join(f"{p} {i}\n" for p in range(part + 1) for i in range(1, 1001))
            assert b"".join(heard).decode() == sent


def test_a_box_that_was_destroyed_is_no_more(engine: DockerSandbox, box_image: Image) -> None:
    with engine.start(box_image, Setting()) as box:
        box.destroy()
        box.destroy()

        with pytest.raises(SandboxError, match="the box is gone: its owner destroyed it"):
            box.run(["true"], seconds=60)


def test_destroying_a_box_ends_what_runs_in_it(engine: DockerSandbox, box_image: Image) -> None:
    with engine.start(box_image, Setting()) as box:
        result = box.run(
            ["sh", "-c", "echo; sleep 100"],
            seconds=60,
            on_output=lambda _name, _data: threading.Thread(target=box.destroy).start(),
        )

    assert (result.exit_code, result.signal) == (None, None)
    assert result.destroyed == "its owner destroyed it"
    assert result.seconds < 50


def test_an_image_that_is_not_there(engine: DockerSandbox) -> None:
    with pytest.raises(ImageFailed, match="No such image: no-such-image:latest"):
        engine.start(Image(id="no-such-image", workspace="/w"), Setting()).__enter__()


def test_an_image_without_a_workspace(engine: DockerSandbox, base: str) -> None:
    with (
        engine.start(Image(id=base, workspace="/w"), Setting()) as box,
        pytest.raises(ImageFailed, match="the image holds no workspace"),
    ):
        box.run(["true"], seconds=60)


def test_the_workspace_is_there_for_whatever_comes_first(
    engine: DockerSandbox, box_image: Image
) -> None:
    first: list[Callable[[DockerBox], object]] = [
        lambda box: box.copy_out(f"{box.workspace}/a.txt"),
        lambda box: box.copy_in(tar({"more": b""}), box.workspace),
        lambda box: box.run(["true"], seconds=60, user="grade"),
        lambda box: box.run(["false"], seconds=60),
        lambda box: box.reset(),
    ]
    for do in first:
        with engine.start(box_image, Setting()) as box:
            do(box)
            assert {"a.txt", "b.txt", "sub"} <= set(sh(box, "ls").split())


def test_what_says_that_it_is_filled_is_no_output(box: DockerBox) -> None:
    result = box.run(["sh", "-c", "cat; echo filled; echo err >&2"], seconds=60, stdin=[b"in\n"])

    assert (result.stdout, result.stderr) == (b"in\nfilled\n", b"err\n")


def test_a_workspace_too_small_for_its_files(engine: DockerSandbox, box_image: Image) -> None:
    limits = Limits(disk=64 * 1024)
    with engine.start(box_image, Setting(limits=limits)) as box:
        with pytest.raises(OutOfRoom, match="limits"):
            box.copy_in(tar({"x": b"x" * 128 * 1024}), box.workspace)
        box.reset()
        assert sh(box, "ls").split() == ["a.txt", "b.txt", "sub"]
