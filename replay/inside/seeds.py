"""Random numbers that can be had again: `random`, NumPy's, and where asked for the system's."""

import os
import random
import sys
from typing import Any


def seed(value: int) -> None:
    """Seed Python's generator."""
    random.seed(value)


def seed_numpy(value: int) -> bool:
    """Seed NumPy's common generator, if NumPy's random numbers have been imported."""
    numpy = sys.modules.get("numpy.random")
    if numpy is None:
        return False
    numpy.seed(value % (1 << 32))
    return True


class Fixed(object):
    """All that is random from one seed, anew for each test.

    `os.urandom`, and with it uuid4 and secrets, `SystemRandom` and generators without a seed are
    from it too; what libraries take from the system by themselves is not.
    """

    def __init__(self, value: int) -> None:
        self._value = value
        self._source = random.Random(value)  # noqa: S311 -- it is to be foretold
        self._seed_of = random.Random.seed
        os.urandom = self._urandom
        random._urandom = self._urandom  # type: ignore[attr-defined] # noqa: SLF001
        random.Random.seed = self._seeder()  # type: ignore[method-assign]

    def _urandom(self, size: int) -> bytes:
        return self._source.getrandbits(8 * size).to_bytes(size, "big") if size else b""

    def _seeder(self) -> Any:
        original, source = self._seed_of, self._source

        def seed(self: Any, a: Any = None, version: int = 2) -> None:
            """Seed the generator: with what was given, else from the fixed source."""
            original(self, source.getrandbits(256) if a is None else a, version)

        return seed

    def begin(self, test: str, repeat: int) -> None:
        """Start anew for an execution of a test."""
        name = "%d:%d:%s" % (self._value, repeat, test)
        self._seed_of(self._source, name)
        random.seed(self._source.getrandbits(64))
        seed_numpy(self._source.getrandbits(32))
