"""Images for tests of boxes, made of Debian's base alone: a workspace of some files, and Python."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.container import remove
from traceproof.sandbox.environments import images
from traceproof.sandbox.layout import GRADE, HOME, OWNER_LABEL, STASH, WORK
from traceproof.sandbox.protocol import Image

WORKSPACE = "/home/somebody/project"
FILES = {"a.txt": "hello\n", "b.txt": "b\n", "sub/c.txt": "c\n", "sub/deep/d.sh": "echo d\n"}


NOTHING: dict[str, list] = {"containers": [], "networks": [], "volumes": []}


def debian(client: Any) -> str:
    """The id of the base that `traceproof sandbox base` made; empty where there is none."""
    found = images.debian(client)
    return found.id if found else ""


def script(files: Mapping[str, str]) -> str:
    lines = [
        "set -e",
        f"groupadd -g {WORK} work; useradd -u {WORK} -g work -d {HOME} -s /bin/sh work",
        f"groupadd -g {GRADE} grade; useradd -u {GRADE} -g grade -d / -s /bin/sh grade",
        f"mkdir -p {STASH}; cd {STASH}",
    ]
    for name, text in files.items():
        quoted = shlex.quote(name)
        lines.append(f'mkdir -p "$(dirname {quoted})"; printf %s {shlex.quote(text)} >{quoted}')
    return "\n".join([*lines, f"chown -R work:work {STASH}"])


@contextmanager
def image(
    client: Any, base: str, files: Mapping[str, str] = FILES, workspace: str = WORKSPACE
) -> Iterator[Image]:
    """An image with a workspace; it is removed in the end."""
    body = {
        "Image": base,
        "User": "0:0",
        "Entrypoint": ["sh", "-c", script(files)],
        "Labels": labels(),
        "HostConfig": {"NetworkMode": "none"},
    }
    container = client.create_container_from_config(body)["Id"]
    try:
        client.start(container)
        ended = client.wait(container)
        assert ended["StatusCode"] == 0, client.logs(container).decode()
        made = client.commit(container, changes=["ENTRYPOINT []", "ENV OF_THE_IMAGE=1"])["Id"]
    finally:
        remove(client, container)
    try:
        yield Image(id=made, workspace=workspace)
    finally:
        client.remove_image(made, force=True)


def left_by(client: Any, label: str) -> dict[str, Any]:
    """What there is with an owner's label."""
    ours = {"label": [f"{OWNER_LABEL}={label}"]}
    return {
        "containers": client.containers(all=True, filters=ours),
        "networks": client.networks(filters=ours),
        "volumes": client.volumes(filters=ours)["Volumes"] or [],
    }
