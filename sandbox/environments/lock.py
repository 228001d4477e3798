"""The environment lock: what an environment was made of, so that another machine makes the same.

It holds no address of a package index and no path of the machine it was made on.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from traceproof.sandbox.environments.dates import Rung

VERSION: Final = 1


class Package(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, order=True):
    """One package, in the version that was chosen."""

    name: str
    version: str = ""
    hashes: tuple[str, ...] = ()
    """`sha256:…` of each file that the index had of this version then, sorted; npm's integrity."""
    url: str = ""
    """Where it is from, where that is no index: `git+https://…@<commit>`."""


class LockedBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the image started from."""

    reference: str = ""
    digest: str = ""
    """In a registry; an imported image has none."""


class Lock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an environment was made of."""

    version: Literal[1] = 1
    kind: Literal["python", "node", "commands"]
    """`commands`: only the given commands know what was installed."""
    os: str = ""
    machine: str = ""
    python: str = ""
    node: str = ""
    base: LockedBase = LockedBase()
    dates: Rung = Rung()
    """As of which they were chosen, and are built from source again."""
    packages: tuple[Package, ...] = ()
    system: tuple[str, ...] = ()
    """The operating system's packages, as `name=version`, sorted; empty where they are unknown."""
    locales: tuple[str, ...] = ()
    """Those that the system has, as `locale -a` writes them: `C.utf8`, `de_DE.utf8`."""
    zones: bool = True
    """Whether the system knows time zones by their names."""
    notes: tuple[str, ...] = ()
    """Where it differs from what was asked for, in sentences."""

    def same(self, other: Lock) -> bool:
        """Say whether two environments are equal: packages, hashes and the language's version.

        The operating system may differ in its patches, and an imported base has no digest.
        """
        return self.digest() == other.digest()

    def digest(self) -> str:
        """Return what two equal environments have in common."""
        held = (self.kind, self.python, self.node, self.machine, self.packages)
        return hashlib.sha256(msgspec.json.encode(held)).hexdigest()


def save(lock: Lock, path: Path) -> None:
    """Write a lock as JSON, for its owner alone."""
    text = msgspec.json.format(msgspec.json.encode(lock), indent=2)
    path.touch(mode=0o600)
    path.write_bytes(text + b"\n")


def load(path: Path) -> Lock:
    """Read a lock.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is none, or of another version.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Lock)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no environment lock of version {VERSION}: {error}") from error


_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*(==|@)\s*([^\s;\\]+)")
_HASH = re.compile(r"--hash=(\w+:[0-9a-f]+)")


def packages_of(requirements: str) -> tuple[Package, ...]:
    """Return what a requirements file with hashes names, sorted; local folders are left out."""
    found = []
    for line in requirements.replace("\\\n", " ").splitlines():
        match = _PINNED.match(line)
        if not match:
            continue
        name, kind, rest = match.groups()
        if kind == "@" and rest.startswith("file:"):
            continue
        where = {"url": rest} if kind == "@" else {"version": rest}
        hashes = tuple(sorted(_HASH.findall(line)))
        found.append(Package(name=name.lower(), hashes=hashes, **where))
    return tuple(sorted(found))


def requirements_of(packages: tuple[Package, ...]) -> str:
    """Return packages as a requirements file with hashes."""
    return "".join(_line(package) for package in packages)


def _line(package: Package) -> str:
    where = f" @ {package.url}" if package.url else f"=={package.version}"
    hashes = "".join(f" \\\n    --hash={each}" for each in package.hashes)
    return f"{package.name}{where}{hashes}\n"
