from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from traceproof.sandbox.environments.lock import (
    Lock,
    LockedBase,
    Package,
    load,
    packages_of,
    requirements_of,
    save,
)

RESOLVED = """\
Six==1.15.0 \\
    --hash=sha256:b1 \\
    --hash=sha256:a0
dateutil[tz]==2.8.1 --hash=sha256:c2
helper @ git+https://example.test/helper@0123abcd
-e file:///home/me/proj
mine @ file:///home/me/proj
"""


def test_what_was_resolved_is_read_with_its_hashes_sorted() -> None:
    assert packages_of(RESOLVED) == (
        Package(name="dateutil", version="2.8.1", hashes=("sha256:c2",)),
        Package(name="helper", url="git+https://example.test/helper@0123abcd"),
        Package(name="six", version="1.15.0", hashes=("sha256:a0", "sha256:b1")),
    )


def test_packages_are_written_as_they_are_read() -> None:
    packages = packages_of(RESOLVED)

    assert packages_of(requirements_of(packages)) == packages


def test_a_lock_comes_back_from_its_file_which_is_its_owners_alone(tmp_path: Path) -> None:
    lock = Lock(kind="python", python="3.11.2", packages=packages_of(RESOLVED), notes=("a note",))

    save(lock, tmp_path / "environment.lock.json")

    assert load(tmp_path / "environment.lock.json") == lock
    assert (tmp_path / "environment.lock.json").stat().st_mode & 0o777 == 0o600


def test_locks_are_equal_when_packages_and_hashes_are() -> None:
    lock = Lock(kind="python", python="3.11.2", packages=packages_of(RESOLVED))
    elsewhere = msgspec.structs.replace(
        lock, base=LockedBase(reference="mine:1"), system=("libc6=2.36",), notes=("another",)
    )
    other = msgspec.structs.replace(lock, packages=(Package(name="six", version="1.16.0"),))

    assert lock.same(elsewhere)
    assert not lock.same(other)


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2, "kind": "python"}', "[1]"])
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "environment.lock.json"
    path.write_text(text)

    with pytest.raises(ValueError, match="no environment lock of version 1"):
        load(path)
