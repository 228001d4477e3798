"""A wall clock that is ahead (or behind) in this process, and monotonic time that is not touched.

The functions by which a program asks for the time are replaced in this process's memory: the
kernel's own, in the page that it maps into every process (vDSO), and those of the C library that
take a deadline by the wall clock or tell a file's times. The code stands where the kernel's
`clock_gettime` was, so nothing is allocated, and a fork has it too. Programs that are started get
it only where they are Python's. See docs/decisions/0036.
"""

import os
import platform
import struct
import time
from typing import Dict, Set, Tuple

from . import clockcode, elf

FILES = ("stat", "lstat", "fstat", "fstatat", "__xstat", "__lxstat", "__fxstat", "__fxstatat")
NEEDED = ("sem_timedwait", "sem_clockwait", "__errno_location")
KERNEL = {
    "x86_64": ("__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time"),
    "aarch64": ("__kernel_clock_gettime", "__kernel_gettimeofday"),
}
LIBRARIES = ("libc.so", "libc-", "libpthread", "ld-musl")
JUMP = {"x86_64": (b"\x48\xb8", b"\xff\xe0"), "aarch64": (bytes.fromhex("5000005800021fd6"), b"")}
"""What stands before and behind an address to make a jump to it."""

Functions = Dict[str, Set[elf.Place]]


def shift(ahead: int, since: int) -> None:
    """Set the wall clock of this process ahead.

    Args:
        ahead: seconds, whole ones.
        since: Unix time from which on files are the tests': their times are shifted as well.

    Raises:
        OSError: that cannot be done here.
    """
    machine = platform.machine()
    if machine not in KERNEL:
        raise OSError("the clock can be shifted on x86-64 and aarch64, and this is " + machine)
    memory = elf.Memory()
    try:
        _install(memory, machine, ahead, since)
    finally:
        memory.close()


def _install(memory: elf.Memory, machine: str, ahead: int, since: int) -> None:
    kernel, library = _kernel(memory, machine), _library(memory)
    clock = kernel.pop(KERNEL[machine][0])
    code, places = clockcode.assembled(
        clockcode.X86_64 if machine == "x86_64" else clockcode.AARCH64
    )
    slots = struct.pack("<qqQQ", ahead, since, _one(library, "sem_clockwait"),
                        _one(library, "__errno_location"))  # fmt: skip
    ((start, room),) = clock
    if room < len(code) + len(slots):
        raise OSError("the kernel's clock_gettime has %d bytes, too few" % room)
    jumps = list(_jumps(machine, start, places, kernel, library))
    before = time.time(), time.monotonic()
    memory.write(start, code + slots)
    for address, jump in jumps:
        memory.write(address, jump)
    _check(before, ahead)


def _kernel(memory: elf.Memory, machine: str) -> Functions:
    base = next((at for name, at in elf.mapped() if name == "[vdso]"), None)
    if base is None:
        raise OSError("the kernel maps no functions into this process")
    found = elf.functions(memory, base, set(KERNEL[machine]))
    if KERNEL[machine][0] not in found:
        raise OSError("the kernel's functions have other names here")
    return found


def _library(memory: elf.Memory) -> Functions:
    """Return where the C library's functions are; it may be in two files."""
    found: Functions = {}
    for name, base in elf.mapped():
        if os.path.basename(name).startswith(LIBRARIES):
            for one, places in elf.functions(memory, base, set(FILES + NEEDED)).items():
                found.setdefault(one, set()).update(places)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise OSError("the C library has no " + missing[0])
    return found


def _one(functions: Functions, name: str) -> int:
    return next(iter(functions[name]))[0]


def _jumps(
    machine: str, start: int, places: Dict[str, int], kernel: Functions, library: Functions
) -> Set[Tuple[int, bytes]]:
    """Return what to write over each function's beginning, and where."""
    before, behind = JUMP[machine]
    jumps = set()
    for name, found in list(kernel.items()) + list(library.items()):
        target = places.get(name.replace("__vdso_", "").replace("__kernel_", ""))
        if target is None:
            continue
        jump = before + struct.pack("<Q", start + target) + behind
        for address, size in found:
            if (size + 15) // 16 * 16 < len(jump):
                raise OSError("%s has %d bytes, too few" % (name, size))
            jumps.add((address, jump))
    return jumps


def _check(before: Tuple[float, float], ahead: int) -> None:
    """See that the clock is ahead now, and monotonic time is not."""
    passed = time.monotonic() - before[1]
    if not 0 <= passed < 60 or abs(time.time() - before[0] - passed - ahead) > 1:  # noqa: PLR2004
        raise OSError("the clock was set ahead, and is not")
