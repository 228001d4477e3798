"""Where functions are in this process's memory: the symbol tables of what is mapped into it.

It reads as a debugger would, by `/proc/self`, and needs neither ctypes nor a compiler. It knows
64-bit, little-endian ELF, which is what Linux has on x86-64 and aarch64.
"""

import os
import struct
from typing import Dict, Iterator, List, Set, Tuple

LOAD, DYNAMIC = 1, 2
HASH, STRTAB, SYMTAB, STRSZ, GNU_HASH = 4, 5, 6, 10, 0x6FFFFEF5
FUNCTION = 2
SYMBOL = struct.Struct("<IBBHQQ")

Place = Tuple[int, int]
"""A function's address and size."""


class Memory(object):
    """This process's memory; what is not writable can be written too."""

    def __init__(self) -> None:
        self._fd = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes."""
        return os.pread(self._fd, size, address)

    def write(self, address: int, data: bytes) -> None:
        """Write bytes, all at once."""
        if os.pwrite(self._fd, data, address) != len(data):
            raise OSError("the memory at %#x cannot be written" % address)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def mapped() -> Iterator[Tuple[str, int]]:
    """Yield the name of each file that is mapped from its start, and where."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            words = line.split(None, 5)
            if len(words) > 5 and int(words[2], 16) == 0:  # noqa: PLR2004 -- a name is the sixth
                yield words[5].strip(), int(words[0].partition("-")[0], 16)


def functions(memory: Memory, base: int, names: Set[str]) -> Dict[str, Set[Place]]:
    """Return where these functions are in what is mapped at an address."""
    headers = _headers(memory, base)
    bias = base - min(address for kind, address, _ in headers if kind == LOAD)
    start, size = next((at, size) for kind, at, size in headers if kind == DYNAMIC)
    table = dict(struct.iter_unpack("<QQ", memory.read(bias + start, size // 16 * 16)))

    def at(tag: int) -> int:
        value: int = table[tag]
        return value if value >= bias else bias + value  # the linker may have added it

    texts = memory.read(at(STRTAB), table[STRSZ])
    count = _count(memory, at(HASH), 0) if HASH in table else _count(memory, 0, at(GNU_HASH))
    symbols = memory.read(at(SYMTAB), count * SYMBOL.size)
    return _found(symbols, texts, names, bias)


def _headers(memory: Memory, base: int) -> List[Tuple[int, int, int]]:
    """Return kind, address and size of each part."""
    head = memory.read(base, 64)
    if head[:6] != b"\x7fELF\x02\x01":
        raise OSError("what is mapped at %#x is no 64-bit ELF" % base)
    start, size, count = struct.unpack_from("<Q14xHH", head, 32)
    parts = memory.read(base + start, size * count)
    found = []
    for place in range(0, len(parts), size):
        kind, address, length = struct.unpack_from("<I12xQ16xQ", parts, place)
        found.append((kind, address, length))
    return found


def _count(memory: Memory, plain: int, gnu: int) -> int:
    """Return how many symbols there are, by either kind of hash table."""
    if plain:
        return int(struct.unpack("<II", memory.read(plain, 8))[1])
    buckets, first, bloom, _ = struct.unpack("<IIII", memory.read(gnu, 16))
    start = gnu + 16 + bloom * 8
    last: int = max(struct.unpack("<%dI" % buckets, memory.read(start, 4 * buckets)))
    if last < first:
        return int(first)
    chain = start + 4 * buckets
    while not struct.unpack("<I", memory.read(chain + 4 * (last - first), 4))[0] & 1:
        last += 1
    return last + 1


def _found(symbols: bytes, texts: bytes, names: Set[str], bias: int) -> Dict[str, Set[Place]]:
    found: Dict[str, Set[Place]] = {}
    wanted = {name.encode(): name for name in names}
    for text, info, _, section, value, size in SYMBOL.iter_unpack(symbols):
        if info & 15 == FUNCTION and section:
            name = wanted.get(texts[text : texts.index(b"\0", text)])
            if name is not None:
                found.setdefault(name, set()).add((bias + value, size))
    return found
