"""What code in a box tries to use up: processes, memory, disk, descriptors, output, reports."""

from __future__ import annotations

import pytest

from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.protocol import MIB, Result

pytestmark = pytest.mark.engine


def sh(box: DockerBox, script: str, seconds: float = 60) -> Result:
    return box.run(["sh", "-c", script], seconds=seconds)


def python(box: DockerBox, program: str, seconds: float = 60) -> Result:
    return box.run(["python3", "-c", program], seconds=seconds)


def usable(box: DockerBox) -> None:
    """Nothing of the last command runs, and the box is as at first."""
    box.reset()
    result = sh(box, "cat a.txt; cat /proc/[0-9]*/comm | sort | uniq -c")
    assert result.exit_code == 0, result
    told = result.stdout.decode().split("\n", 1)
    assert told[0] == "hello"
    assert sum(int(line.split()[0]) for line in told[1].splitlines()) <= 12


def test_a_fork_bomb(box: DockerBox) -> None:
    result = sh(box, "bomb() { bomb | bomb & }; bomb; sleep 100", seconds=2)

    assert result.exit_code is None or result.exit_code != 0
    assert result.destroyed == ""
    usable(box)


def test_a_fork_bomb_that_outlives_its_parents(box: DockerBox) -> None:
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while True:\n"
        "    try:\n"
        "        if os.fork() == 0: os.setsid()\n"
        "    except OSError: pass\n"
    )
    result = python(box, program, seconds=1)

    assert result.timed_out
    assert (result.exit_code, result.destroyed) == (None, "")
    usable(box)


def test_more_processes_than_are_allowed(box: DockerBox) -> None:
    program = (
        "import os, time\n"
        "count = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0: time.sleep(100)\n"
        "        count += 1\n"
        "except BlockingIOError: print(count)\n"
    )
    result = python(box, program)

    assert result.exit_code == 0
    assert 40 <= int(result.stdout) <= 56
    usable(box)


def test_more_memory_than_is_allowed(box: DockerBox) -> None:
    result = python(box, "x = bytearray(4 << 30)\nfor i in range(0, 4 << 30, 4096): x[i] = 1")

    assert result.out_of_memory
    assert (result.exit_code, result.signal, result.destroyed) == (None, 9, "")
    usable(box)


def test_memory_in_a_child(box: DockerBox) -> None:
    program = (
        "import subprocess, sys\n"
        "code = 'x = bytearray(1 << 30)\\nfor i in range(0, 1 << 30, 4096): x[i] = 1'\n"
        "sys.exit(subprocess.run([sys.executable, '-c', code]).returncode == -9)"
    )
    result = python(box, program)

    assert (result.exit_code, result.out_of_memory) == (1, True)
    assert not sh(box, "true").out_of_memory
    usable(box)


def test_memory_as_files(box: DockerBox) -> None:
    """What is in memory file systems counts, and nothing is left to kill but the box itself."""
    script = (
        "for at in . /tmp /var/tmp /run /dev/shm $HOME; do"
        " for n in 1 2 3 4; do cat /dev/zero >$at/$n; done; done 2>/dev/null"
    )
    result = sh(box, script)

    assert result.out_of_memory or result.exit_code is not None
    assert result.seconds < 60


def test_a_full_workspace(box: DockerBox) -> None:
    result = sh(box, "for n in 1 2 3; do head -c 20000000 /dev/zero >$n || exit; done")

    assert result.exit_code == 1
    assert b"No space left on device" in result.stderr
    usable(box)


def test_a_file_larger_than_is_allowed(box: DockerBox) -> None:
    result = sh(box, "exec cat /dev/zero >big")

    assert (result.exit_code, result.signal) == (None, 25)
    assert sh(box, "stat -c %s big").stdout == b"%d\n" % (24 * MIB)
    usable(box)


def test_no_core_is_left(box: DockerBox) -> None:
    sh(box, "ulimit -c unlimited; cat & kill -SEGV $!; wait")

    assert sh(box, "find / -xdev -name 'core*' -newer a.txt -type f 2>/dev/null").stdout == b""


def test_more_open_files_than_are_allowed(box: DockerBox) -> None:
    program = "x = []\nwhile True: x.append(open('/dev/null'))"
    result = python(box, program)

    assert b"Too many open files" in result.stderr
    usable(box)


def test_many_files_in_deep_folders(box: DockerBox) -> None:
    program = (
        "import os\n"
        "for i in range(1000):\n"
        "    os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        "    for name in range(5): open(str(name), 'w').close()\n"
        "    os.chmod('.', 0o111)\n"
    )
    assert python(box, program).exit_code == 1  # 0o111: it cannot write any more
    program = program.replace("    os.chmod('.', 0o111)\n", "")
    assert python(box, program.replace("mkdir('d'", "mkdir('e'").replace("chdir('d'", "chdir('e'"))
    usable(box)


@pytest.mark.timeout(300)
def test_a_gigabyte_of_output(box: DockerBox) -> None:
    heard = 0

    def listen(_name: str, data: bytes) -> None:
        nonlocal heard
        heard += len(data)

    script = "head -c 1073741824 /dev/zero; head -c 5000000 /dev/zero >&2; exit 7"
    result = box.run(["sh", "-c", script], seconds=240, on_output=listen)

    assert (result.exit_code, result.destroyed) == (7, "")
    assert (len(result.stdout), result.stdout_lost) == (MIB, 1073741824 - MIB)
    assert (len(result.stderr), result.stderr_lost) == (MIB, 5000000 - MIB)
    assert heard == 2 * MIB
    usable(box)


def test_output_without_end(box: DockerBox) -> None:
    result = box.run(["cat", "/dev/zero"], seconds=1)

    assert result.timed_out
    assert result.signal == 15
    assert result.stdout_lost > 0
    usable(box)


def test_output_of_any_bytes(box: DockerBox) -> None:
    frames = bytes([1, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 4]) * 100
    odd = "\udcff\N{PILE OF POO}\x1b[2J\r\n\0".encode("utf-8", "surrogateescape")
    data = bytes(range(256)) * 300 + frames + odd + b"\xc3"
    result = box.run(["sh", "-c", "tee /dev/stderr"], seconds=60, stdin=[data])

    assert result.stdout == data
    assert result.stderr == data


def test_names_of_any_bytes(box: DockerBox) -> None:
    sh(box, r"""printf 1 >"$(printf 'a\377\nb')"; printf 2 >-rf; mkdir ' '; ln -s / root""")
    usable(box)


def test_reports_without_end(box: DockerBox, heard: list[bytes]) -> None:
    result = sh(box, f"cat /dev/zero >{box.channel}")

    assert result.destroyed == "more than 1,048,576 bytes were reported"
    assert (result.exit_code, result.signal) == (None, None)
    assert sum(map(len, heard)) == MIB
