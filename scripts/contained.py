"""Run tests in a container made from Debian packages: with that suite's Python, and no network.

What the tests need is installed in one container, with a network, and kept as an image; the tests
run in another. `sandbox base` makes what both start from.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from traceproof.sandbox.docker.client import connect, failures
from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.execute import Execution
from traceproof.sandbox.environments import cache, debian, images
from traceproof.sandbox.environments.container import started
from traceproof.sandbox.environments.workshop import must
from traceproof.sandbox.errors import SandboxError

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("busybox", "curl", "less", "procps", "util-linux", "vim-tiny", "zsh")
"""What tests run and the base does not have."""
CAPABILITIES: Final = ("NET_ADMIN", "SYS_ADMIN", "SYS_NICE", "SYS_PTRACE")
"""What root in a container lacks to make namespaces; a machine may lack others itself."""
LOCKS: Final = ("requirements/build.txt", "requirements/dev.txt")
VENV: Final = "/opt/venv"
HERE: Final = "/home/tests/traceproof"
BUILD_SECONDS: Final = 1800
TEST_SECONDS: Final = 3600
THERE: Final = "not engine and not agents and not index"
"""Which tests have in there what they need."""
KEEP: Final = 1 << 28
PIP: Final = (f"{VENV}/bin/python", "-m", "pip", "-qq", "--disable-pip-version-check",
              "--no-input", "install", "--no-deps", "--no-build-isolation")  # fmt: skip
ENVIRONMENT: Final = {
    "HOME": "/home/tests",
    "LANG": "C.UTF-8",
    "PATH": f"{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
ABOUT: Final = (
    "import platform, mitmproxy.version as m; print('Python', platform.python_version(), "
    "'on', platform.freedesktop_os_release()['PRETTY_NAME'], 'mitmproxy', m.VERSION)"
)


def prepared(client: Any, suite: str) -> str:
    """Return the id of an image with the locked dependencies; it is built unless it is there."""
    base = debian.base(client, suite, say=say).image
    locks = [hashlib.sha256((ROOT / lock).read_bytes()).hexdigest() for lock in LOCKS]
    key = cache.key("tests", base, PACKAGES, locks)
    there = images.made(client, "tests", key)
    if there:
        return there
    say(f"installing the locked dependencies on Debian {suite}")
    apt = ("apt-get", "-o", "APT::Sandbox::User=root", "-qq")
    quietly = {"DEBIAN_FRONTEND": "noninteractive"}
    with started(client, base, "/", seconds=BUILD_SECONDS, uv=None) as shop:
        must(shop, [*apt, "update"], "apt-get update failed")
        install = [*apt, "install", "--yes", "--no-install-recommends", *PACKAGES]
        must(shop, install, "apt-get install failed", environment=quietly)
        must(shop, ["mkdir", "-p", HERE], "no folder for the tests")
        must(shop, ["python3", "-m", "venv", VENV], "no virtual environment")
        for lock in LOCKS:
            path = f"{shop.scratch}/{Path(lock).name}"
            shop.write(path, (ROOT / lock).read_bytes())
            must(shop, [*PIP, "--require-hashes", "--use-pep517", "-r", path], f"{lock} failed")
        return shop.keep("traceproof/tests", key[:16], {images.KIND: "tests", images.KEY: key})


@contextmanager
def container(client: Any, image: str) -> Iterator[str]:
    """Start a container of root without a network, in which tests can make namespaces."""
    body = {
        "Image": image,
        "Entrypoint": ["sleep", "infinity"],
        "Labels": labels(),
        "HostConfig": {
            "Init": True,
            "NetworkMode": "none",
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
        },
    }
    with failures("make the container of the tests"):
        made = client.create_container_from_config(body)["Id"]
    try:
        with failures("start the container of the tests"):
            client.start(made)
        yield made
    finally:
        client.remove_container(made, force=True, v=True)


def run(client: Any, box: str, argv: Sequence[str], stdin: Iterable[bytes] = ()) -> int:
    """Run a command in the container, showing what it writes; return its exit code."""
    command = ["timeout", "-k", "5", str(TEST_SECONDS), "env", f"--chdir={HERE}", *argv]
    execution = Execution(
        client, box, command, user="0:0", stdin=stdin, keep=KEEP, listener=show,
        environment=ENVIRONMENT,
    )  # fmt: skip
    ended = execution.wait(TEST_SECONDS + 30, lambda: False)
    return 3 if ended.code is None else ended.code


def show(name: str, data: bytes) -> None:
    """Write what a command wrote."""
    stream = sys.stdout if name == "stdout" else sys.stderr
    stream.buffer.write(data)
    stream.buffer.flush()


def say(line: str) -> None:
    """Say what is being done, as the other scripts do."""
    print(f"setup: {line}", file=sys.stderr, flush=True)


def tracked() -> bytes:
    """Return a tar of the files that git knows, or would after `git add`, as they are."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    names = [name for name in listed.split(b"\0") if os.path.lexists(ROOT / os.fsdecode(name))]
    packing = ["tar", "-c", "--null", "--no-recursion", "--verbatim-files-from", "-T", "-"]
    wanted = b"\0".join(filter(None, names))
    return subprocess.run(
        packing, cwd=ROOT, input=wanted, stdout=subprocess.PIPE, check=True
    ).stdout


def test(client: Any, suite: str, arguments: Sequence[str]) -> int:
    """Run pytest in a fresh container; return its exit code."""
    python = f"{VENV}/bin/python"
    with container(client, prepared(client, suite)) as box:
        steps: list[tuple[list[str], Iterable[bytes]]] = [
            (["tar", "-x", "-f", "-", "--no-same-owner"], [tracked()]),
            ([*PIP, "--editable", "."], ()),
            ([python, "-c", ABOUT], ()),
            ([python, "-P", "-m", "pytest", "-m", THERE, *arguments], ()),
        ]
        codes = (run(client, box, argv, stdin) for argv, stdin in steps)
        return next(filter(None, codes), 0)


def main() -> int:
    """Run the tests that the arguments name: `SUITE PYTEST-ARGUMENTS…`."""
    try:
        with closing(connect()) as client:
            return test(client, sys.argv[1], sys.argv[2:])
    except SandboxError as error:
        say("\n".join([str(error), *getattr(error, "log", "").splitlines()]))
        return 3


if __name__ == "__main__":
    sys.exit(main())
