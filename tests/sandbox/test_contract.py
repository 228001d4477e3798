"""What every box promises, asked of containers and of both kinds of local ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest

from support import localboxes
from traceproof.sandbox import tar
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import MIB, Box, Image, Limits, Sandbox, Setting

LONG = 60
SETTING = Setting(environment={"SET": "setting"}, limits=Limits(output=MIB, report=MIB))


class Place(NamedTuple):
    sandbox: Sandbox
    image: Image
    heard: list[bytes]

    def start(self, setting: Setting = SETTING) -> AbstractContextManager[Box]:
        self.heard.clear()
        return self.sandbox.start(self.image, setting, self.heard.append)


@pytest.fixture(
    scope="module", params=[pytest.param("docker", marks=pytest.mark.engine), "local", "plain"]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "docker":
        image = request.getfixturevalue("box_image")
        yield Place(request.getfixturevalue("engine"), image, [])
        return
    with localboxes.image() as image:
        yield Place(LocalSandbox("" if request.param == "plain" else None), image, [])


@pytest.fixture(scope="module")
def shared(place: Place) -> Iterator[Box]:
    with place.start() as box:
        yield box


@pytest.fixture
def box(shared: Box, place: Place) -> Box:
    shared.reset()
    place.heard.clear()
    return shared


def sh(box: Box, script: str, **options: Any) -> str:
    result = box.run(["sh", "-c", script], seconds=LONG, **options)
    assert (result.exit_code, result.stderr) == (0, b""), result
    return result.stdout.decode()


def test_a_command_gives_its_exit_code_and_what_it_wrote(box: Box) -> None:
    result = box.run(["sh", "-c", "echo out; echo err >&2; exit 3"], seconds=LONG)

    assert (result.exit_code, result.signal) == (3, None)
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    assert 0 < result.seconds < LONG


def test_a_command_that_a_signal_ends_says_which(box: Box) -> None:
    result = box.run(["sh", "-c", "kill -SEGV $$"], seconds=LONG)

    assert (result.exit_code, result.signal) == (None, 11)


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_run_is_a_result(box: Box, program: str, code: int) -> None:
    result = box.run([program], seconds=LONG)

    assert result.exit_code == code
    assert program.encode() in result.stderr


def test_a_folder_that_is_not_there_is_a_result(box: Box) -> None:
    result = box.run(["true"], seconds=LONG, cwd="/no/such")

    assert result.exit_code == 126
    assert b"/no/such" in result.stderr


def test_a_nul_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="NUL"):
        box.run(["echo", "a\0b"], seconds=LONG)


def test_it_runs_in_the_workspace(box: Box, place: Place) -> None:
    assert sh(box, "pwd") == f"{box.workspace}\n"
    assert sh(box, "pwd", cwd=f"{box.workspace}/sub") == f"{box.workspace}/sub\n"
    if "workspace" not in place.sandbox.shortfalls(SETTING):
        assert box.workspace == place.image.workspace


def test_it_is_no_root(box: Box) -> None:
    assert sh(box, "id -u").strip() != "0"


def test_the_workspace_is_a_copy_of_the_images(box: Box) -> None:
    assert sh(box, "cat a.txt; find . -type f | LC_ALL=C sort").split() == [
        "hello", "./a.txt", "./b.txt", "./sub/c.txt", "./sub/deep/d.sh",
    ]  # fmt: skip


def test_environments_are_the_images_the_settings_and_the_runs(box: Box) -> None:
    told = sh(box, "echo $OF_THE_IMAGE $SET $RUN", environment={"RUN": "run"})

    assert told == "1 setting run\n"


def test_nothing_of_this_environment_is_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPROOF_TEST_SECRET", "seen")
    with place.start() as box:
        assert "SECRET" not in sh(box, "env")


def test_stdin_is_fed_while_output_is_taken(place: Place) -> None:
    chunk = bytes(range(256)) * 1024
    with place.start(Setting()) as box:
        result = box.run(["cat"], seconds=LONG, stdin=[chunk] * 8)

    assert result.stdout == chunk * 8


def test_without_stdin_a_command_reads_the_end_at_once(box: Box) -> None:
    assert box.run(["cat"], seconds=LONG).exit_code == 0


def test_stdin_that_nobody_reads_is_no_harm(box: Box) -> None:
    assert box.run(["true"], seconds=LONG, stdin=[b"x" * MIB] * 8).exit_code == 0


def test_output_beyond_the_limit_is_counted(box: Box) -> None:
    told: list[int] = []
    result = box.run(
        ["sh", "-c", "head -c 5000000 /dev/zero; head -c 3000000 /dev/zero >&2"],
        seconds=LONG,
        on_output=lambda name, data: told.append(len(data)),  # noqa: ARG005 - as it is called
    )

    assert (len(result.stdout), result.stdout_lost) == (MIB, 5000000 - MIB)
    assert (len(result.stderr), result.stderr_lost) == (MIB, 3000000 - MIB)
    assert sum(told) == 2 * MIB


def test_time_that_is_up_ends_a_command(box: Box) -> None:
    result = box.run(["sleep", "60"], seconds=0.5)

    assert (result.timed_out, result.exit_code, result.signal) == (True, None, 15)
    assert result.destroyed == ""
    assert sh(box, "echo usable") == "usable\n"


def test_what_does_not_mind_term_is_killed(box: Box) -> None:
    stubborn = "trap '' TERM; while :; do sleep 1; done"
    result = box.run(["sh", "-c", stubborn], seconds=0.5)

    assert (result.timed_out, result.exit_code, result.signal) == (True, None, 9)
    assert 5 < result.seconds < 15
    assert sh(box, "echo usable") == "usable\n"


def test_nothing_a_command_started_goes_on(box: Box) -> None:
    started = time.monotonic()
    sh(box, "(setsid sleep 4321 &) >/dev/null 2>&1; sleep 4321 >/dev/null 2>&1 & echo started")

    assert "4321" not in sh(box, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true")
    assert time.monotonic() - started < LONG


def test_who_keeps_the_output_open_does_not_hold_the_box_up(box: Box) -> None:
    result = box.run(["sh", "-c", "setsid sleep 4321 & echo done"], seconds=LONG)

    assert (result.exit_code, result.stdout) == (0, b"done\n")
    assert result.seconds < LONG


def test_reports_arrive_whole_and_in_order(box: Box, place: Place) -> None:
    line = "x" * 4000
    script = f"i=0; while [ $i -lt 100 ]; do echo $i {line}; i=$((i+1)); done >{box.channel}"
    sh(box, script)

    lines = b"".join(place.heard).decode().splitlines()
    assert lines == [f"{i} {line}" for i in range(100)]


def test_reports_cannot_be_taken_back(box: Box, place: Place) -> None:
    result = box.run(["sh", "-c", f"echo said >{box.channel}; cat {box.channel}"], seconds=LONG)

    if "users" not in place.sandbox.shortfalls(SETTING):
        assert (result.stdout, b"".join(place.heard)) == (b"", b"said\n")


def test_too_many_reports_end_the_box(place: Place) -> None:
    with place.start() as box:
        result = box.run(["sh", "-c", f"yes >{box.channel}"], seconds=LONG)

        assert result.exit_code is None
        assert result.destroyed
        with pytest.raises(SandboxError):
            box.run(["true"], seconds=LONG)
    assert sum(map(len, place.heard)) <= MIB


def test_work_reads_what_is_private_and_does_not_change_it(box: Box, place: Place) -> None:
    box.copy_in(tar.pack_files({"inner/job": b"grade\n"}), box.private, user="grade")
    job = f"{box.private}/inner/job"

    assert sh(box, f"cat {job}") == "grade\n"
    if "users" not in place.sandbox.shortfalls(SETTING):
        for attempt in (f"echo >{job}", f"rm -f {job}", f"mv {box.private}/inner /tmp/x"):
            assert box.run(["sh", "-c", attempt], seconds=LONG).exit_code != 0
    assert box.copy_out(job) == b"grade\n"


def test_what_is_copied_in_belongs_to_work(box: Box) -> None:
    files = {"new/x.sh": b"echo x\n", "a.txt": b"changed\n"}
    box.copy_in(tar.pack_files(files, mode=0o755), box.workspace)

    assert sh(box, "new/x.sh; cat a.txt; rm -r new a.txt; ls") == "x\nchanged\nb.txt\nsub\n"


def test_a_file_is_copied_out(box: Box) -> None:
    sh(box, "printf 'a\\000b' >sub/out; ln -s a.txt link; mkfifo pipe")

    assert box.copy_out(f"{box.workspace}/sub/out") == b"a\0b"
    with pytest.raises(FileNotFoundError):
        box.copy_out(f"{box.workspace}/none")
    with pytest.raises(ValueError, match=r"limit|larger|bytes"):
        box.copy_out(f"{box.workspace}/sub/out", limit=2)
    for odd in ("link", "pipe", "sub"):
        with pytest.raises(ValueError, match=r"regular|file"):
            box.copy_out(f"{box.workspace}/{odd}")


def test_reset_makes_the_folders_as_they_were(box: Box) -> None:
    sh(box, "echo >>a.txt; rm b.txt; mkdir -p x/y; chmod 0 x; echo >$HOME/h")
    box.copy_in(tar.pack_files({"stays": b"1"}), box.private, user="grade")

    box.reset()

    assert sh(box, "cat a.txt; ls; ls -A $HOME") == "hello\na.txt\nb.txt\nsub\n"
    assert box.copy_out(f"{box.private}/stays") == b"1"


def test_boxes_do_not_see_each_other(place: Place) -> None:
    with place.start() as one, place.start() as other:
        sh(one, "echo one >a.txt")

        assert sh(other, "cat a.txt") == "hello\n"


def test_who_destroys_a_box_ends_its_command(place: Place) -> None:
    with place.start() as box:
        started = threading.Event()

        def destroy() -> None:
            started.wait(LONG)
            box.destroy()

        timer = threading.Thread(target=destroy)
        timer.start()
        result = box.run(
            ["sh", "-c", "echo; sleep 60"],
            seconds=LONG,
            on_output=lambda name, data: started.set(),  # noqa: ARG005 - as it is called
        )
        timer.join()

        assert (result.exit_code, result.signal, result.timed_out) == (None, None, False)
        assert result.destroyed
        with pytest.raises(SandboxError):
            box.run(["true"], seconds=LONG)
        box.destroy()


def test_a_command_whose_output_nobody_takes_ends_with_its_box(place: Place) -> None:
    def refuse(name: str, data: bytes) -> None:
        raise ZeroDivisionError(name, data)

    with place.start() as box, pytest.raises(ZeroDivisionError):
        box.run(["sh", "-c", "echo; sleep 60"], seconds=LONG, on_output=refuse)


def test_a_box_goes_with_what_happens_in_its_context(place: Place) -> None:
    with pytest.raises(ZeroDivisionError), place.start() as box:
        raise ZeroDivisionError
    with pytest.raises(SandboxError):
        box.run(["true"], seconds=LONG)


def test_no_network_unless_it_is_asked_for(box: Box, place: Place) -> None:
    names = sh(box, "cut -sd: -f1 /proc/net/dev").split()

    if "network" not in place.sandbox.shortfalls(SETTING):
        assert names == ["lo"]


def test_files_are_created_in_the_order_of_a_seed(place: Place) -> None:
    orders = []
    for seed in (None, 1, 1, 2):
        setting = Setting(file_order=seed)
        if "file_order" in place.sandbox.shortfalls(setting):
            return
        with place.start(setting) as box:
            orders.append(sh(box, "ls -U . sub"))

    assert orders[1] == orders[2]
    assert len(set(orders)) > 1
