"""What code in a local box may try, and what comes of it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from support import processes
from traceproof.sandbox import owner, tar
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local import boxfolder
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import MIB, Image, Limits, Result, Setting

SMALL = Setting(
    limits=Limits(
        memory=192 * MIB, disk=16 * MIB, pids=40, open_files=64, file_size=8 * MIB, output=MIB
    )
)


def attempt(sandbox: LocalSandbox, image: Image, script: str, seconds: float = 60) -> Result:
    with sandbox.start(image, SMALL) as box:
        result = box.run(["sh", "-c", script], seconds=seconds)
        assert box.run(["cat", "a.txt"], seconds=60).stdout == b"hello\n"
    return result


def test_a_fork_bomb_ends_with_its_command(sandbox: LocalSandbox, local_image: Image) -> None:
    marker = secrets.token_hex(8)
    bomb = f"b() {{ sh -c 'sleep 3600; : {marker}' & b & b; }}; b"

    attempt(sandbox, local_image, bomb, seconds=1)

    assert processes.with_text(marker) == []


def test_daemons_end_with_their_command(sandbox: LocalSandbox, local_image: Image) -> None:
    marker = secrets.token_hex(8)
    one = f"sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1; : {marker}; done'"
    daemon = f"(setsid setsid {one} >/dev/null 2>&1 </dev/null &); (setsid {one} &) & echo on"

    result = attempt(sandbox, local_image, daemon)

    assert result.stdout == b"on\n"
    assert processes.with_text(marker) == []


def test_memory_is_held(sandbox: LocalSandbox, local_image: Image) -> None:
    greedy = "exec head -c 1G /dev/zero | tail"  # tail keeps what has no line's end

    result = attempt(sandbox, local_image, greedy)

    assert result.exit_code != 0 or result.out_of_memory


def test_many_that_use_memory_are_seen(sandbox: LocalSandbox, local_image: Image) -> None:
    each = "(x=$(head -c 60M /dev/zero | tr '\\0' x); sleep 60; :) &"

    result = attempt(sandbox, local_image, f"{each} {each} {each} {each} wait")

    assert result.out_of_memory
    assert result.signal == 9


def test_files_have_a_size_and_so_has_the_workspace(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    big = "head -c 100M /dev/zero >big; wc -c <big; for i in 1 2 3; do head -c 7M /dev/zero >$i; "
    result = attempt(sandbox, local_image, big + "done; du -sk . | cut -f1")

    one, all_together = map(int, result.stdout.split())
    assert one == 8 * MIB
    if "disk" not in sandbox.shortfalls(SMALL):
        assert all_together <= 17 * 1024


def test_open_files_are_held(sandbox: LocalSandbox, local_image: Image) -> None:
    assert attempt(sandbox, local_image, "ulimit -n; ulimit -Hn").stdout == b"64\n64\n"


def test_a_folder_that_is_hard_to_remove_is_removed(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    path = "x/" * 500
    deep = f'for i in 1 2 3; do mkdir -p {path} && cd {path} || exit 1; done; cd "$HOME"; '
    odd = "mkdir -p closed/inner; touch closed/inner/x; chmod 0 closed/inner closed"

    assert attempt(sandbox, local_image, deep + odd).exit_code == 0

    assert [box for box in boxfolder.boxes(in_use=True) if is_ours(box)] == []


def test_links_do_not_lead_our_files_outside(
    sandbox: LocalSandbox, local_image: Image, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "theirs").write_text("of the machine")
    with sandbox.start(local_image, SMALL) as box:
        box.run(["sh", "-c", f"ln -s {tmp_path} out; ln -s {tmp_path}/theirs file"], seconds=60)

        for path in ("out/theirs", "file", f"{tmp_path}/theirs", "../../../../etc/passwd"):
            with pytest.raises((ValueError, FileNotFoundError)):
                box.copy_out(path)
        for folder in ("out", "out/new", "/etc/new"):
            with pytest.raises(ValueError, match=r"folder|outside"):
                box.copy_in(tar.pack_files({"x": b""}), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_this_machine_is_read_only_or_it_is_said(local_image: Image, tmp_path: Path) -> None:
    sandbox = LocalSandbox()
    tmp_path.chmod(0o777)
    if sandbox.shortfalls(SMALL).keys() & {"temporary"}:
        return
    home = Path("~").expanduser()

    result = attempt(
        sandbox,
        local_image,
        f"touch {tmp_path}/x {local_image.id}/source/a.txt /usr/x; "
        f"find {home} /run -type f 2>/dev/null; touch /tmp/mine && echo mine",
    )

    assert result.stderr.count(b"touch: ") == 3
    assert result.stdout.decode().split() == ["mine"]
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_command_gains_nothing_by_set_user_id(sandbox: LocalSandbox, local_image: Image) -> None:
    told = attempt(sandbox, local_image, "grep -E 'NoNewPrivs|CapEff' /proc/self/status").stdout

    assert dict(line.split(":\t") for line in told.decode().splitlines()) == {
        "CapEff": "0000000000000000",
        "NoNewPrivs": "1",
    }


def test_a_keeper_is_not_killed_by_what_it_keeps_or_it_is_said(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    with sandbox.start(local_image, SMALL) as box:
        script = ["sh", "-c", "kill -9 $PPID; sleep 0.2; echo on"]
        if "users" in sandbox.shortfalls(SMALL):
            with pytest.raises(SandboxError, match="ended early"):
                box.run(script, seconds=60)
        else:
            assert box.run(script, seconds=60).stdout == b"on\n"


def test_there_are_no_devices_that_are_somebodys_or_it_is_said(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    if "temporary" in sandbox.shortfalls(SMALL):
        return
    program = (
        "import os, pty; _, terminal = pty.openpty()\n"
        "print(*os.listdir('/dev'), os.ttyname(terminal), *os.listdir('/dev/pts'))"
    )
    mine, terminal = os.openpty()
    try:
        told = attempt(
            sandbox, local_image, f'python3 -c "{program}"; touch /dev/x; echo x >/dev/null'
        )
    finally:
        os.close(mine)
        os.close(terminal)

    assert set(told.stdout.decode().split()) == {
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
        "urandom", "zero", "/dev/pts/0", "0",
    }  # fmt: skip
    assert b"Read-only" in told.stderr


LEAVE = """
import ctypes, os
libc = ctypes.CDLL(None)
print(libc.shmget(0, 4096, 0o1666), libc.msgget(0, 0o1666), libc.semget(0, 1, 0o1666), os.getuid())
for place in ("/tmp", "/var/tmp", "/dev/shm"):
    name = place + "/MARK" + place.replace("/", "-")
    os.makedirs(name + "/a")
    open(name + "-file", "w").close()
    os.symlink("/etc", name + "-link")
    os.chmod(name, 0)
"""


@pytest.mark.parametrize("way", ["end", "reset"])
def test_nothing_is_left_beside_its_folder_or_it_is_said(
    sandbox: LocalSandbox, local_image: Image, way: str
) -> None:
    mark = f"traceproof-test-{secrets.token_hex(8)}"
    with sandbox.start(local_image, SMALL) as box:
        made = box.run(["python3", "-c", LEAVE.replace("MARK", mark)], seconds=60)
        if way == "reset":
            box.reset()
            assert left(mark, made) == [] or "users" in sandbox.shortfalls(SMALL)

    assert (made.exit_code, len(made.stdout.split())) == (0, 4)
    if "users" not in sandbox.shortfalls(SMALL):
        assert left(mark, made) == []


def left(mark: str, made: Result) -> list[str]:
    """What there is of a name in the folders that are everybody's, and what the box's user has."""
    user = made.stdout.split()[-1].decode()
    places = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
    found = [str(path) for place in places for path in place.glob(f"{mark}*")]
    for kind in ("shm", "msg", "sem"):
        head, *lines = Path("/proc/sysvipc", kind).read_text().splitlines()
        rows = [dict(zip(head.split(), line.split(), strict=False)) for line in lines]
        found += [f"{kind} {row}" for row in rows if row["cuid"] == user]
    return found


def test_a_command_has_no_way_to_answer_for_its_keeper(
    sandbox: LocalSandbox, local_image: Image
) -> None:
    told = attempt(sandbox, local_image, "ls /proc/$$/fd; :").stdout

    assert set(map(int, told.split())) == {0, 1, 2}


def is_ours(box: Path) -> bool:
    try:
        return (box / "owner").read_text() == str(owner.me())
    except FileNotFoundError:
        return False
