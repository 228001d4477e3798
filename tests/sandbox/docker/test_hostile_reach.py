"""What code in a box tries to reach: this machine's files, the network, the engine, more rights."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from traceproof.sandbox.docker.box import DockerBox
from traceproof.sandbox.protocol import Result

pytestmark = pytest.mark.engine


def sh(box: DockerBox, script: str) -> Result:
    return box.run(["sh", "-c", script], seconds=60)


def python(box: DockerBox, program: str, *arguments: str) -> Result:
    return box.run(["python3", "-c", program, *arguments], seconds=60)


def test_no_file_of_this_machine_is_there(box: DockerBox, tmp_path: Path) -> None:
    secret = tmp_path / "a-secret-of-this-machine"
    secret.write_text("secret")
    ways = (str(secret), f"/proc/1/root{secret}", f"/proc/self/root{secret}", f"/host{secret}")

    result = sh(box, f"cat {' '.join(ways)} 2>/dev/null; find / -name '{secret.name}' 2>/dev/null")

    assert result.stdout == b""
    assert result.exit_code != 0


def test_no_folder_of_this_machine_is_mounted(box: DockerBox) -> None:
    mounts = sh(box, "cat /proc/self/mounts").stdout.decode().splitlines()
    kinds = {fields[2]: fields[1] for fields in map(str.split, mounts)}
    on_disk = [fields[1] for fields in map(str.split, mounts) if fields[0].startswith("/dev/")]

    assert set(kinds) <= {
        "overlay", "proc", "tmpfs", "devpts", "sysfs", "cgroup", "cgroup2", "mqueue", "ext4", "xfs",
        "btrfs", "fuse-overlayfs",
    }  # fmt: skip
    files = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}  # the engine's own
    assert set(on_disk) <= files | {"/sbin/docker-init", "/usr/sbin/docker-init"}


def test_no_device_can_be_made_or_read(box: DockerBox) -> None:
    result = sh(
        box,
        "mknod /tmp/disk b 8 0; mknod /tmp/memory c 1 1; cat /dev/mem /dev/kmsg /dev/sda /dev/vda;"
        "ls /dev | sort",
    )

    known = {
        "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
        "stdout", "tty", "urandom", "zero",
    }  # fmt: skip
    assert set(result.stdout.decode().split()) <= known
    assert result.stderr.count(b"Operation not permitted") == 2


def test_nothing_of_this_process_environment_is_there(
    box: DockerBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_OF_THIS_MACHINE", "a-secret")
    result = sh(box, "env; cat /proc/*/environ 2>/dev/null")

    assert b"KEY_OF" not in result.stdout
    assert b"a-secret" not in result.stdout
    names = {line.partition(b"=")[0].decode() for line in result.stdout.splitlines()}
    assert names <= {"HOME", "HOSTNAME", "LANG", "OF_THE_IMAGE", "PATH", "PWD"}


def test_no_network_but_its_own_loopback(box: DockerBox) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        hosts = {"127.0.0.1", "172.17.0.1", "10.0.0.1", "8.8.8.8", _own_address()}
        program = (
            "import socket, sys\n"
            "for host in sys.argv[2:]:\n"
            "    try:\n"
            "        socket.create_connection((host, int(sys.argv[1])), 3)\n"
            "    except OSError: continue\n"
            "    print('reached', host)\n"
            "try: print(socket.getaddrinfo('example.org', 443))\n"
            "except OSError: print('no names')\n"
        )
        result = python(box, program, str(port), *hosts)

    assert result.stdout == b"no names\n"
    assert sh(box, "ls /sys/class/net").stdout == b"lo\n"


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


def test_its_own_name_is_known_without_a_network(box: DockerBox) -> None:
    result = python(box, "import socket; print(socket.gethostbyname(socket.gethostname()))")

    assert result.stdout == b"127.0.0.1\n"


def test_no_abstract_socket_of_this_machine_is_reached(box: DockerBox) -> None:
    name = f"\0traceproof-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        program = "import socket, sys; socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])"
        result = python(box, program, name[1:])

    assert b"ConnectionRefusedError" in result.stderr


def test_the_engine_is_not_there(box: DockerBox) -> None:
    result = sh(
        box,
        "ls /var/run/docker.sock /run/docker.sock /run/containerd; env | grep DOCKER;"
        "find / -type s 2>/dev/null",
    )

    assert result.stdout == b""


def test_nothing_outside_its_folders_can_be_written(box: DockerBox) -> None:
    places = (
        "/ /etc /usr/bin /opt/traceproof/source /home /root /var /lib /boot /srv /traceproof"
        " /traceproof/private /proc/sys/kernel /sys /sys/fs/cgroup /sys/fs/cgroup/memory /dev"
    )
    result = sh(box, f"for at in {places}; do echo x >$at/new-file && echo wrote $at; done")

    assert result.stdout == b""


def test_files_of_the_box_cannot_be_changed(box: DockerBox) -> None:
    files = (
        "/etc/passwd /etc/hosts /etc/resolv.conf /etc/hostname /usr/bin/timeout /bin/sh"
        " /opt/traceproof/source/a.txt /proc/sys/kernel/core_pattern /proc/sysrq-trigger"
        " /proc/self/oom_score_adj.x /sys/kernel/uevent_helper /proc/sys/vm/drop_caches"
        " /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max"
        " /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cgroup.procs"
    )
    result = sh(box, f"for at in {files}; do echo 9999999999 >>$at && echo wrote $at; done")

    assert result.stdout == b""


def test_more_rights_cannot_be_had(box: DockerBox) -> None:
    status = sh(box, "cat /proc/self/status").stdout.decode()
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    tries = (
        "mount -t tmpfs none /mnt", "umount /tmp", "unshare -Ur true", "unshare -n true",
        "chroot / true", "su -c true", "nsenter -t 1 -m true", "setpriv --reuid 0 true",
        "hostname other", "date -s 2001-01-01", "renice -n -5 $$", "ulimit -n 100000",
        "dd if=/proc/1/mem count=1", "ls /proc/1/fd/", "ls -l /proc/1/cwd/", "kill -9 1",
    )  # fmt: skip
    results = {text: sh(box, text).exit_code for text in tries}

    assert {told[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    assert [text for text, code in results.items() if code == 0] == []


def test_the_user_cannot_become_another(box: DockerBox) -> None:
    program = (
        "import os\n"
        "for call, argument in ((os.setuid, 0), (os.setuid, 1001), (os.setgid, 0),\n"
        "                       (os.setgroups, [0, 1001])):\n"
        "    try: call(argument)\n"
        "    except PermissionError: continue\n"
        "    print(call)\n"
    )

    assert python(box, program).stdout == b""


def test_a_program_that_takes_its_owners_rights_does_not(box: DockerBox) -> None:
    found = sh(box, "find / -xdev -perm /6000 -type f 2>/dev/null | head -3").stdout.split()
    result = sh(box, "cp /usr/bin/id . && chmod 6755 id && ./id -u")

    assert found  # Debian has `su` and others
    assert result.stdout == b"1000\n"
