"""scripts/dockerd gives dockerd what a bare machine lacks: with stand-ins for all it calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DOCKER_PID = "/var/run/docker.pid"
CONTAINERD_PID = "/var/run/docker/containerd/containerd.pid"
LOG = 'echo "${0##*/} $*" >>"$CALLS"\n'
DOCKERD = 'echo "dockerd with ${PATH%%:*}" >>"$CALLS"\n'
REMOVALS = [f"rm -f {DOCKER_PID}", f"rm -f {CONTAINERD_PID}"]


class Machine:
    """A machine that lacks nothing, until a test takes it away."""

    def __init__(self, folder: Path, scripts: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir()
        for name in ("dockerd", "lib.sh"):
            shutil.copy(scripts / name, folder / "scripts")
        for tool in ("dirname", "ln", "sh"):
            found = shutil.which(tool)
            assert found
            self.program(tool, f'exec {found} "$@"\n')
        mkdir = shutil.which("mkdir")
        self.program("mkdir", f'case $1 in /*) {LOG.strip()} ;; *) exec {mkdir} "$@" ;; esac\n')
        for name in ("mount", "rm"):
            self.program(name, LOG)
        self.program("unshare", f'{LOG}shift; exec "$@"\n')
        self.program("grep", "")
        self.program("cat", "exit 1\n")
        self.program("iptables", "")
        self.program("dockerd", DOCKERD)

    def program(self, name: str, text: str) -> None:
        """Put a program somewhere."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    def run(self) -> list[str]:
        """Run the script; return what was called."""
        calls = self.folder / "calls"
        subprocess.run(
            ["scripts/dockerd"],
            cwd=self.folder,
            env={"PATH": f"{self.folder}/bin", "CALLS": str(calls)},
            check=True,
        )
        return calls.read_text().splitlines()

    @property
    def started(self) -> str:
        return f"dockerd with {self.folder}/bin"


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    """A machine that lacks nothing."""
    return Machine(tmp_path, root / "scripts")


def test_where_nothing_is_missing_dockerd_starts_as_it_is(machine: Machine) -> None:
    assert machine.run() == [*REMOVALS, machine.started]


def test_pid_files_that_are_true_are_kept(machine: Machine) -> None:
    machine.program(
        "cat",
        f"""case $1 in
    {DOCKER_PID}) echo 7 ;; /proc/7/comm) echo dockerd ;;
    {CONTAINERD_PID}) echo 8 ;; /proc/8/comm) echo containerd ;;
esac
""",
    )

    assert machine.run() == [machine.started]


def test_pid_files_of_another_program_are_removed(machine: Machine) -> None:
    machine.program("cat", "case $1 in /proc/7/comm) echo init ;; *) echo 7 ;; esac\n")

    assert machine.run() == [*REMOVALS, machine.started]


def test_without_nf_tables_the_other_iptables_is_used(machine: Machine) -> None:
    machine.program("iptables", "exit 1\n")
    for name in ("iptables-legacy", "ip6tables-legacy"):
        machine.program(name, "")

    assert machine.run()[-1] == f"dockerd with {machine.folder}/build/iptables"
    for name in ("iptables", "ip6tables"):
        link = machine.folder / "build" / "iptables" / name
        assert link.readlink() == machine.folder / "bin" / f"{name}-legacy"


def test_where_no_iptables_works_dockerd_says_so(machine: Machine) -> None:
    machine.program("iptables", "exit 1\n")

    assert machine.run()[-1] == machine.started


@pytest.mark.parametrize(
    ("kernel", "mounted"),
    [
        (
            "echo cpu,cpuacct; echo memory",
            [
                "mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup",
                "mkdir /sys/fs/cgroup/cpu,cpuacct",
                "mount -t cgroup -o cpu,cpuacct cgroup /sys/fs/cgroup/cpu,cpuacct",
                "mkdir /sys/fs/cgroup/memory",
                "mount -t cgroup -o memory cgroup /sys/fs/cgroup/memory",
            ],
        ),
        ("", ["mount -t cgroup2 cgroup2 /sys/fs/cgroup"]),
    ],
)
def test_cgroups_are_mounted_for_dockerd_alone(
    machine: Machine, kernel: str, mounted: list[str]
) -> None:
    machine.program("grep", "exit 1\n")
    machine.program("awk", f"{kernel}\n")

    # Where the tests themselves run without /sys, it is mounted first.
    called = [call for call in machine.run() if call != "mount -t sysfs sysfs /sys"]

    assert called[0] == "unshare --mount scripts/dockerd mounting"
    assert called[1:] == [*mounted, *REMOVALS, machine.started]
