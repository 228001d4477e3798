"""A base image made of Debian's own packages, for where no registry of images answers.

`debootstrap` unpacks and sets up a suite in a folder of this machine, as root; the engine imports
it. It holds Python with its headers, gcc, git, time zones and three locales, and no more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.environments import cache, images, network
from traceproof.sandbox.environments.workshop import Done, failed
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.layout import LABEL

SUITES: Final = ("bookworm", "trixie")
PACKAGES: Final = (
    "ca-certificates", "gcc", "git", "libc6-dev", "locales", "make", "python3", "python3-dev",
    "python3-venv", "tzdata",
)  # fmt: skip
LOCALES: Final = ("de_DE", "tr_TR")
"""Beside C and C.UTF-8: one that writes numbers and sorts otherwise, one with other capitals."""
_KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS: Final = 3600
_LEFT_OUT: Final = (
    "./dev/*", "./proc/*", "./sys/*", "./run/*", "./tmp/*", "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*", "./var/log/*", "./usr/share/doc/*",
    "./usr/share/man/*", "./usr/share/info/*", "./usr/share/locale/*", "./usr/share/i18n/*",
    "./etc/hostname", "./etc/resolv.conf",
)  # fmt: skip


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The base, and whether it had to be made."""

    image: str
    reference: str
    suite: str
    made: bool


def base(
    client: Any,
    suite: str = SUITES[0],
    *,
    packages: Sequence[str] = (),
    mirror: str = "",
    again: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Made:
    """Make the base image of a Debian suite, unless it is there.

    Args:
        client: docker-py's.
        suite: one of `SUITES`.
        packages: more Debian packages: such a base has a tag of its own.
        mirror: where Debian's packages are; default: where debootstrap knows them to be.
        again: make it anew, with the packages of today.
        say: called with what is being done.

    Raises:
        ValueError: the suite is not known.
        ImageFailed: it cannot be made here; the message says what is missing.
        OutOfRoom: the disk is full.
    """
    if suite not in SUITES:
        raise ValueError(f"{suite} is not known; one of {', '.join(SUITES)}")
    wanted = sorted({*PACKAGES, *packages})
    key = cache.key("debian", suite, wanted, LOCALES, _LEFT_OUT)
    tag = f"{suite}-{key[:8]}" if packages else suite
    reference = f"{images.DEBIAN}:{tag}"
    there = images.made(client, "base", key)
    if there and not again:
        return Made(image=there, reference=reference, suite=suite, made=False)
    _possible()
    labels = {LABEL: "1", images.KIND: "base", images.KEY: key, "traceproof.suite": suite}
    with cache.scratch() as scratch:
        root = scratch / "root"
        say(f"unpacking Debian {suite}")
        _unpack(suite, wanted, mirror, root)
        for locale in LOCALES:
            _run(["chroot", str(root), "localedef", "-i", locale, "-f", "UTF-8", f"{locale}.UTF-8"])
        say("importing it into the engine")
        _import(client, root, reference, labels)
    image = images.made(client, "base", key)
    return Made(image=image, reference=reference, suite=suite, made=True)


def _possible() -> None:
    """Check what is needed.

    Raises:
        ImageFailed: something is missing.
    """
    if os.geteuid():
        raise ImageFailed("a base is made as root: debootstrap sets up another system in a folder")
    missing = [name for name in ("debootstrap", "chroot", "tar") if not shutil.which(name)]
    if missing:
        raise ImageFailed(f"{missing[0]} is not installed: apt-get install {missing[0]}")


def _unpack(suite: str, packages: Sequence[str], mirror: str, root: Path) -> None:
    keyring = [f"--keyring={_KEYRING}"] if _KEYRING.exists() else []
    included = f"--include={','.join(packages)}"
    try:
        _run(
            [
                "debootstrap",
                "--variant=minbase",
                *keyring,
                included,
                suite,
                str(root),
                *filter(None, [mirror]),
            ]
        )
    except ImageFailed as error:
        log = root / "debootstrap" / "debootstrap.log"
        if log.exists():
            error.log += "\n" + log.read_text("utf-8", "replace")[-8000:]
        raise


def _run(argv: Sequence[str]) -> None:
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    settings = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}  # fmt: skip
    run = subprocess.run(
        argv, env=kept | settings | network.for_local(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        timeout=_SECONDS,
    )  # fmt: skip
    if run.returncode:
        raise failed(f"{argv[0]} failed", Done(run.returncode, "", run.stdout))


def _import(client: Any, root: Path, reference: str, labels: dict[str, str]) -> None:
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    argv = ["tar", "--numeric-owner", "--sort=name", "--anchored", "--wildcards", *left_out,
            "-C", str(root), "-cf", "-", "."]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as packing:
        assert packing.stdout is not None  # noqa: S101 - it is a pipe
        changes = ['CMD ["/bin/sh"]', "ENV LANG=C.UTF-8"]
        changes += [f"LABEL {name}={value}" for name, value in labels.items()]
        repository, _, tag = reference.rpartition(":")
        with failures("import the base image"):
            client.import_image_from_stream(
                _pieces(packing.stdout), repository=repository, tag=tag, changes=changes
            )
    if packing.returncode:
        raise ImageFailed("the base image cannot be packed; is the disk full?")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(1 << 20):
        yield piece
