"""A workshop that is a container: root in it, with a network, and nothing of this machine mounted.

What a build needs for a while (uv, certificates, the steps' files) is in memory under `/run`, and
so in no image. `kept` is what makes an image of the container.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.execute import Execution
from traceproof.sandbox.environments import indexes, network
from traceproof.sandbox.environments.tarring import one_file
from traceproof.sandbox.environments.workshop import Done, failed
from traceproof.sandbox.errors import SandboxUnavailable
from traceproof.sandbox.layout import OWNER_LABEL
from traceproof.sandbox.protocol import GIB, MIB

VENV: Final = "/opt/traceproof/venv"
_OWN: Final = "/run/traceproof"
_CERTIFICATES: Final = f"{_OWN}/certificates.pem"
_CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
"""What package managers need."""
_TAIL: Final = 256 * 1024
_KEEP: Final = 64 * MIB
_IN: Final = 'cd "$1" && shift && exec "$@"'


class Container:
    """A started container to build in; `started` makes one."""

    uv: str = ""
    venv: str = VENV
    scratch: str = f"{_OWN}/scratch"

    def __init__(self, client: Any, container: str, workspace: str, seconds: float) -> None:
        self.workspace = workspace
        self._client = client
        self._id = container
        self._seconds = seconds
        self._environment: dict[str, str] = {}

    def equip(self, uv: Path | None) -> None:
        """Bring in what a build needs of this machine: certificates, proxies, uv."""
        self._environment = network.proxies(os.environ) | indexes.variables(os.environ, Path.home())
        self._environment |= {"HOME": _OWN, "UV_NO_CACHE": "1", "UV_PYTHON_DOWNLOADS": "never"}
        self.attempt(["mkdir", "-p", self.scratch])
        bundle = network.authorities(os.environ)
        if bundle:
            self.write(_CERTIFICATES, bundle)
            self._environment |= network.trusting(_CERTIFICATES)
        if uv:
            self.uv = f"{_OWN}/uv"
            self.write(self.uv, uv.read_bytes(), 0o755)

    def attempt(
        self, argv: Sequence[str], *, cwd: str = "", environment: Mapping[str, str] = {}
    ) -> Done:
        """Run a command as root; see `Workshop`."""
        return self._execute(argv, cwd or "/", environment, ())

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Make a file, and the folders above it."""
        self.unpack(one_file(path.lstrip("/"), content, mode), "/")

    def unpack(self, tar: Iterable[bytes], to: str) -> None:
        """Unpack a tar stream under a folder, which is made."""
        script = 'mkdir -p "$1" && exec tar -x -f - -C "$1" --no-same-owner'
        done = self._execute(["sh", "-c", script, "sh", to], "/", {}, tar)
        if done.exit_code:
            raise failed("the source cannot be copied into the build", done)

    def keep(self, repository: str, tag: str, image_labels: Mapping[str, str]) -> str:
        """Make an image of what is in the container, and return its id."""
        ours = {"traceproof": "1", OWNER_LABEL: "", **image_labels}
        changes = [f'LABEL {name}="{value}"' for name, value in ours.items()]
        changes += ["ENTRYPOINT []", 'CMD ["/bin/sh"]']
        with failures("keep what was built as an image"):
            made = self._client.commit(
                self._id, repository=repository, tag=tag, changes=changes, pause=False
            )
        return str(made["Id"])

    def _execute(
        self, argv: Sequence[str], cwd: str, environment: Mapping[str, str], stdin: Iterable[bytes]
    ) -> Done:
        whole = ["timeout", "-k", "5", str(int(self._seconds)), "sh", "-c", _IN, "sh", cwd, *argv]
        output = bytearray()

        def heard(_: str, data: bytes) -> None:
            output.extend(data)
            del output[:-_TAIL]

        run = Execution(
            self._client, self._id, whole, user="0:0", stdin=stdin, keep=_KEEP, listener=heard,
            environment=self._environment | dict(environment),
        )  # fmt: skip
        ended = run.wait(self._seconds + 30, lambda: False)
        if ended.code is None:
            raise SandboxUnavailable(f"a build step did not end: {argv[0]}; try again")
        stdout = ended.stdout.data.decode("utf-8", "replace")
        return Done(ended.code, stdout, output.decode("utf-8", "replace"))


@contextmanager
def started(
    client: Any, image: str, workspace: str, *, seconds: float, uv: Path | None
) -> Iterator[Container]:
    """Start a container from an image; it is removed in the end, whatever happened.

    Raises:
        SandboxError: the engine failed.
    """
    body = _body(image)
    with failures("start a container to build in"):
        made = client.create_container_from_config(body)["Id"]
    try:
        with failures("start a container to build in"):
            client.start(made)
        shop = Container(client, made, workspace, seconds)
        shop.equip(uv)
        yield shop
    finally:
        with failures("remove the container of a build"):
            client.remove_container(made, force=True, v=True)


def _body(image: str) -> dict[str, Any]:
    own_proxy = network.on_this_machine(network.proxies(os.environ))
    host = {
        "Init": True,
        "CapDrop": ["ALL"],
        "CapAdd": list(_CAPABILITIES),
        "SecurityOpt": ["no-new-privileges"],
        "NetworkMode": "host" if own_proxy else "bridge",
        "Tmpfs": {"/run": "rw,exec,nosuid,nodev,mode=755"},
        "LogConfig": {"Type": "none"},
        "PidsLimit": 4096,
        "Memory": 8 * GIB,
        "MemorySwap": 8 * GIB,
    }
    return {
        "Image": image,
        "User": "0:0",
        "WorkingDir": "/",
        "Entrypoint": ["sleep", "infinity"],
        "Cmd": [],
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": labels(),
        "HostConfig": host,
    }
