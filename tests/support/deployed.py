"""The deployed shape on images of the local base: built, brought up by docker-compose, taken down.

What this machine needs to reach a network (certificates, an index) is in the base that is made for
it here, as a company's base image would have it. The images are kept, so that the next run is fast;
those that a new one has replaced are removed.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from support.phoenix import free_port
from traceproof.sandbox.environments import indexes, network

ROOT = Path(__file__).resolve().parent.parent.parent
LABEL = {"traceproof": "deployed"}  # not 1: `sandbox prune --all` would remove them
PATIENCE = 240
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

BASE = f"""\
FROM BASE
COPY pip.conf /etc/pip.conf
COPY roots.pem {_CERTIFICATES}
"""
PHOENIX = """\
FROM BASE
RUN python3 -m venv /opt/phoenix
COPY build.txt phoenix.txt /src/
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_DEPS=1 PIP_USE_PEP517=1
RUN for lock in build phoenix; do /opt/phoenix/bin/pip install --quiet --require-hashes \\
    --no-build-isolation -r /src/$lock.txt || exit 1; done
ENTRYPOINT ["/opt/phoenix/bin/python", "-m", "phoenix.server.main", "serve"]
"""

Found = TypeVar("Found")


def until(what: str, find: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """Ask until there is an answer."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.5)
    return found


def build(client: Any, tag: str, files: Mapping[str, bytes]) -> str:
    """Build an image of files, a Dockerfile among them, with the network of this machine."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    context.seek(0)
    said = list(
        client.build(fileobj=context, custom_context=True, tag=tag, labels=LABEL, rm=True,
                     forcerm=True, decode=True, timeout=1200)
    )  # fmt: skip
    failed = [line["error"] for line in said if "error" in line]
    told = "".join(line.get("stream", "") for line in said)
    assert not failed, f"{failed}\n{told[-4000:]}"
    return tag


def reaching_out(client: Any, base: str) -> str:
    """The base with what this machine needs to reach an index."""
    names = {"PIP_INDEX_URL": "index-url", "PIP_EXTRA_INDEX_URL": "extra-index-url"}
    found = indexes.variables(os.environ, Path.home())
    lines = ["[global]", f"cert = {_CERTIFICATES}", "timeout = 180"]
    lines += [f"{option} = {found[name]}" for name, option in names.items() if name in found]
    files = {
        "Dockerfile": BASE.replace("BASE", base).encode(),
        "pip.conf": "\n".join([*lines, ""]).encode(),
        "roots.pem": network.authorities(os.environ),
    }
    return build(client, "traceproof-test/base", files)


def phoenix(client: Any, base: str) -> str:
    """Phoenix by pip on that base: where no registry answers, nobody has another one."""
    files = {
        "Dockerfile": PHOENIX.replace("BASE", base).encode(),
        "build.txt": (ROOT / "requirements" / "build.txt").read_bytes(),
        "phoenix.txt": (ROOT / "tests" / "agents" / "phoenix.txt").read_bytes(),
    }
    return build(client, "traceproof-test/phoenix", files)


class Deployed:
    """What compose.yaml describes, and a little more by a second file; a context manager."""

    def __init__(
        self, client: Any, folder: Path, more: Mapping[str, Any], **variables: str
    ) -> None:
        self.client = client
        self.project = f"traceproof-test-{secrets.token_hex(4)}"
        self.port, self.phoenix_port = free_port(), free_port()
        self._more = folder / "more.json"  # which is YAML, too
        self._more.write_text(json.dumps(more))
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ
        }
        self._environment = {
            **kept,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_HTTP_TIMEOUT": "300",
            "DOCKER_BUILDKIT": "0",
            "PORT": str(self.port),
            "PHOENIX_PORT": str(self.phoenix_port),
            **variables,
        }

    def compose(self, *words: str, given: bytes = b"", check: bool = True) -> bytes:
        """Run docker-compose; return what it printed."""
        files = ("-f", str(ROOT / "compose.yaml"), "-f", str(self._more), "--profile", "verify")
        done = subprocess.run(
            ["docker-compose", *files, *words],
            cwd=ROOT,
            env=self._environment,
            input=given,
            capture_output=True,
            check=False,
            timeout=1200,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr[-4000:])
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            logs = self.compose("logs", "--no-color", "--tail", "60", check=False)
            sys.stderr.write(logs.decode(errors="replace"))
        self.compose("down", "--volumes", "--timeout", "60", check=False)
        ours = [f"{name}={value}" for name, value in LABEL.items()]
        self.client.prune_images(filters={"dangling": True, "label": ours})

    def container(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        labels = [f"com.docker.compose.{key}" for key in ("project", "service", "oneoff")]
        values = (self.project, service, "False")
        wanted = [f"{label}={value}" for label, value in zip(labels, values, strict=True)]
        (found,) = self.client.containers(all=True, filters={"label": wanted})
        answer: dict[str, Any] = self.client.inspect_container(found["Id"])
        return answer

    def health(self, service: str) -> str:
        """`healthy`, or what it is instead."""
        status: str = self.container(service)["State"]["Health"]["Status"]
        return status

    def run(self, *words: str, given: bytes = b"") -> bytes:
        """Run a command in the proxy's container, which has the store."""
        return self.compose("exec", "-T", "proxy", *words, given=given)
