"""Memory that belongs to no process alone, and to no file that has a name."""

from __future__ import annotations

import pytest

from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import MIB, Image, Limits, Result, Setting

SMALL = Setting(limits=Limits(memory=192 * MIB, disk=16 * MIB))
MAPPED = (
    "import mmap; m = mmap.mmap(-1, {size})\n"
    "for _ in range({size} >> 20): m.write(bytes(1 << 20))\n"
)
NAMELESS = (
    "import os; fd = os.memfd_create('x')\n"
    "for _ in range({size} >> 20): os.write(fd, bytes(1 << 20))\n"
)
NAMELESS_MAPPED = (
    "import os, mmap; fd = os.memfd_create('x'); os.ftruncate(fd, {size})\n"
    "m = mmap.mmap(fd, {size}); os.close(fd)\n"
    "for _ in range({size} >> 20): m.write(bytes(1 << 20))\n"
)
SEGMENT = (
    "import ctypes; c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p\n"
    "at = c.shmat(c.shmget(0, {size}, 0o1600), None, 0)\n"
    "ctypes.memset(at, 1, {size}); c.shmdt(ctypes.c_void_p(at))\n"
)
WAYS = {"mapped": MAPPED, "memfd": NAMELESS, "memfd, mapped": NAMELESS_MAPPED, "shmget": SEGMENT}


def run(sandbox: LocalSandbox, image: Image, program: str, seconds: float) -> Result:
    with sandbox.start(image, SMALL) as box:
        return box.run(["python3", "-c", program], seconds=seconds)


@pytest.mark.parametrize("way", WAYS)
def test_what_processes_could_share_counts(
    sandbox: LocalSandbox, local_image: Image, way: str
) -> None:
    if way == "shmget" and "users" in sandbox.shortfalls(SMALL):
        return
    program = WAYS[way].format(size=256 * MIB) + "import time; time.sleep(60)"

    result = run(sandbox, local_image, program, seconds=90)

    assert result.out_of_memory
    assert result.signal == 9


def test_what_many_share_counts_once(sandbox: LocalSandbox, local_image: Image) -> None:
    """Eight processes have 48 MiB mapped each, and look at all of it."""
    look = (
        "import os, time; forks = [os.fork() for _ in range(3)]\n"
        f"sum(m[at] for at in range(0, {48 * MIB}, 4096)); time.sleep(2.5)\n"
        "print('done') if all(forks) else os._exit(0)"
    )

    result = run(sandbox, local_image, MAPPED.format(size=48 * MIB) + look, seconds=60)

    assert (result.exit_code, result.stdout, result.out_of_memory) == (0, b"done\n", False)
