"""Functions in this process's memory."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from traceproof.replay.inside import elf


@pytest.fixture
def memory() -> Iterator[elf.Memory]:
    memory = elf.Memory()
    yield memory
    memory.close()


def test_the_c_librarys_functions_are_where_the_linker_says(memory: elf.Memory) -> None:
    library = ctypes.CDLL(None)
    base = next(at for name, at in elf.mapped() if "/libc.so" in name or "/libc-" in name)

    found = elf.functions(memory, base, {"sem_timedwait", "fstatat", "no_such_function"})

    assert set(found) == {"sem_timedwait", "fstatat"}
    for name, places in found.items():
        address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        assert address in {at for at, _ in places}
        assert all(size >= 16 for _, size in places)


def test_the_kernels_functions_are_found(memory: elf.Memory) -> None:
    base = next(at for name, at in elf.mapped() if name == "[vdso]")
    names = {"__vdso_clock_gettime", "__kernel_clock_gettime"}

    assert len(elf.functions(memory, base, names)) == 1


def test_memory_that_is_no_elf_is_refused(memory: elf.Memory) -> None:
    buffer = ctypes.create_string_buffer(b"no ELF" * 20)

    with pytest.raises(OSError, match="is no 64-bit ELF"):
        elf.functions(memory, ctypes.addressof(buffer), {"a"})


def test_memory_can_be_read_and_written(memory: elf.Memory) -> None:
    buffer = ctypes.create_string_buffer(b"before")

    memory.write(ctypes.addressof(buffer), b"behind")

    assert memory.read(ctypes.addressof(buffer), 6) == b"behind" == buffer.value


def test_memory_that_is_not_there_is_an_error(memory: elf.Memory) -> None:
    with pytest.raises(OSError, match="error"):
        memory.write(8, b"x")
