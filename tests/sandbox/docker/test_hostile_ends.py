"""What code in a box does so as not to end, and to make its reports say what is not so."""

from __future__ import annotations

import pytest

from traceproof.sandbox.docker import box as box_module
from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import Result

pytestmark = pytest.mark.engine

DAEMON = "setsid sh -c 'trap \"\" HUP TERM INT; while :; do sleep 1000; done'"


def sh(box: DockerBox, script: str, seconds: float = 60) -> Result:
    return box.run(["sh", "-c", script], seconds=seconds)


def running(box: DockerBox) -> bytes:
    return sh(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout


def test_a_command_that_ignores_the_first_signal(box: DockerBox) -> None:
    result = sh(box, "trap '' TERM INT HUP; while :; do sleep 1000; done", seconds=0.5)

    assert (result.timed_out, result.signal, result.destroyed) == (True, 9, "")
    assert 5 < result.seconds < 15
    assert b"sleep 1000" not in running(box)


def test_a_command_that_ends_well_when_it_is_told_to_end_was_late_all_the_same(
    box: DockerBox,
) -> None:
    result = sh(box, "trap 'exit 0' TERM; sleep 1000 & wait", seconds=0.5)

    assert (result.timed_out, result.exit_code, result.signal) == (True, None, 15)


def test_a_daemon(box: DockerBox) -> None:
    result = sh(box, f"({DAEMON} </dev/null >/dev/null 2>&1 &) & echo done")

    assert (result.exit_code, result.stdout) == (0, b"done\n")
    assert b"sleep 1000" not in running(box)


def test_a_daemon_that_keeps_the_output_open(box: DockerBox) -> None:
    result = sh(box, f"({DAEMON} &) & echo done; exit 5")

    assert (result.exit_code, result.stdout, result.timed_out) == (5, b"done\n", False)
    assert b"sleep 1000" not in running(box)


def test_a_daemon_that_holds_the_channel(box: DockerBox, heard: list[bytes]) -> None:
    sh(box, f"({DAEMON} >{box.channel} &) & exec 3>{box.channel}; echo held >&3")
    sh(box, f"echo free >{box.channel}")

    assert b"".join(heard) == b"held\nfree\n"


def test_killing_what_watches(box: DockerBox) -> None:
    """The daemon goes on, with the output in its hands; the engine is asked, and it is ended."""
    kill = (
        "for p in $(ls /proc | grep '^[0-9]*$'); do [ $p = $d ] || [ $p = $$ ] || kill -9 $p; done"
    )
    result = sh(box, f"{DAEMON} & d=$!; sleep 0.2; {kill}; kill -9 $$")

    assert (result.signal, result.timed_out, result.destroyed) == (9, False, "")
    assert b"sleep 1000" not in running(box)


def test_killing_everything(box: DockerBox) -> None:
    result = sh(box, "kill -9 -1; kill -9 $$")

    assert (result.signal, result.destroyed) == (9, "")
    assert sh(box, "echo usable").stdout == b"usable\n"


def test_stopping_what_watches(box: DockerBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_module, "PATIENCE", 2.0)
    others = "for p in $(ls /proc | grep '^[0-9]*$'); do [ $p = $$ ] || kill -STOP $p; done"
    result = sh(box, f"{others}; while :; do :; done", seconds=1)

    assert result.timed_out
    assert (result.exit_code, result.signal) == (None, None)
    assert result.destroyed == "the command did not end within 3 s"
    with pytest.raises(SandboxError, match="the box is gone: the command did not end within 3 s"):
        sh(box, "true")


def test_a_command_that_closes_its_output_is_waited_for(box: DockerBox) -> None:
    result = sh(box, "exec >&- 2>&-; sleep 3; exit 9")

    assert result.exit_code == 9
    assert result.seconds >= 3


def test_the_main_process_cannot_be_harmed(box: DockerBox, heard: list[bytes]) -> None:
    tries = (
        "for p in $(ls /proc | grep '^[0-9]*$'); do"
        " [ $(stat -c %u /proc/$p 2>/dev/null || echo 0) = 1001 ] || continue;"
        " kill -9 $p; kill -STOP $p; ls /proc/$p/fd; cat /proc/$p/environ; echo x >/proc/$p/fd/1;"
        " echo x >/proc/$p/fd/2; echo mark x >/proc/$p/fd/0; head -c 1 /proc/$p/mem; done"
    )
    result = sh(box, f"({tries}) 2>/dev/null; echo after >{box.channel}")

    assert result.exit_code == 0
    assert b"".join(heard) == b"after\n"


def test_the_channel_is_for_writing_only(box: DockerBox, heard: list[bytes]) -> None:
    channel = box.channel
    result = sh(
        box,
        f"echo first >{channel}; timeout 1 cat {channel}; rm -f {channel}; mv {channel} /tmp/c;"
        f"mkfifo {channel}; chmod 666 {channel}; ln -sf /dev/null {channel};"
        f"echo second >{channel}",
    )

    assert result.stdout == b""
    assert b"".join(heard) == b"first\nsecond\n"


def test_what_was_reported_cannot_be_taken_back(box: DockerBox, heard: list[bytes]) -> None:
    program = (
        "import os, sys\n"
        "fd = os.open(sys.argv[1], os.O_WRONLY)\n"
        "os.write(fd, b'failed\\n')\n"
        "for call in (lambda: os.lseek(fd, 0, 0), lambda: os.ftruncate(fd, 0),\n"
        "             lambda: os.pread(fd, 10, 0), lambda: os.read(fd, 10)):\n"
        "    try: call()\n"
        "    except OSError: continue\n"
        "    print(call)\n"
        "os.write(fd, b'passed\\n')\n"
    )
    result = box.run(["python3", "-c", program, box.channel], seconds=60)

    assert (result.stdout, result.stderr) == (b"", b"")
    assert b"".join(heard) == b"failed\npassed\n"


def test_writes_of_4096_bytes_arrive_whole(box: DockerBox, heard: list[bytes]) -> None:
    program = (
        "import os, sys\n"
        "fd = os.open(sys.argv[1], os.O_WRONLY)\n"
        "for name in b'abcd':\n"
        "    if os.fork() == 0:\n"
        "        for i in range(40): os.write(fd, bytes([name]) * 4095 + b'\\n')\n"
        "        os._exit(0)\n"
        "for _ in range(4): os.wait()\n"
    )
    assert box.run(["python3", "-c", program, box.channel], seconds=60).exit_code == 0

    lines = b"".join(heard).splitlines()
    assert sorted(lines) == [bytes([name]) * 4095 for name in b"abcd" for _ in range(40)]


def test_stdout_is_no_report_and_a_report_is_no_stdout(box: DockerBox, heard: list[bytes]) -> None:
    result = sh(box, f"echo 'all passed'; echo 'all passed' >&2; echo no >{box.channel}; exit 1")

    assert (result.exit_code, result.stdout) == (1, b"all passed\n")
    assert b"".join(heard) == b"no\n"


def test_a_report_torn_by_a_kill_stays_torn(box: DockerBox, heard: list[bytes]) -> None:
    sh(box, f"printf 'half a line' >{box.channel}; kill -9 -1; kill -9 $$")
    sh(box, f"echo ' and another' >{box.channel}")

    assert b"".join(heard) == b"half a line and another\n"


def test_what_looks_like_a_mark_is_a_report(box: DockerBox, heard: list[bytes]) -> None:
    marks = "".join(f"{i:032x}\n" for i in range(200))
    sh(box, f"printf '{marks}' >{box.channel}")

    assert b"".join(heard).decode() == marks


def test_the_time_of_a_command_is_the_machines(box: DockerBox) -> None:
    result = sh(box, "date() { echo 0; }; sleep 0.3; exit 0")

    assert 0.3 <= result.seconds < 30
