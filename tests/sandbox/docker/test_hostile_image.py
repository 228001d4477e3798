"""What an image may bring along that no box is to have: whoever builds it may have made it so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from support.boxes import NOTHING, left_by
from traceproof.sandbox import owner
from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.container import remove
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import MIB, Image, Limits, Setting

pytestmark = pytest.mark.engine

SMALL = Setting(limits=Limits(memory=192 * MIB, disk=16 * MIB, file_size=64 * MIB, pids=48))
FLOOD = "#!/usr/bin/env python3\nwhile True: __import__('os').write(2, b'x' * 65536)\n"


@contextmanager
def altered(client: Any, image: Image, script: str, changes: Sequence[str] = ()) -> Iterator[Image]:
    """An image with something done to it by root, and with other settings."""
    body = {
        "Image": image.id, "User": "0:0", "Entrypoint": ["python3", "-c", script],
        "Labels": labels(), "HostConfig": {"NetworkMode": "none"},
    }  # fmt: skip
    container = client.create_container_from_config(body)["Id"]
    try:
        client.start(container)
        assert client.wait(container)["StatusCode"] == 0
        settings = ["ENTRYPOINT []", *changes]
        made = client.commit(container, changes=settings, conf={"Labels": labels()})["Id"]
    finally:
        remove(client, container)
    try:
        yield Image(id=made, workspace=image.workspace)
    finally:
        client.remove_image(made, force=True, noprune=True)  # not what it is made of


def test_its_volumes_are_no_folders_of_this_machine(
    engine: DockerSandbox, box_image: Image
) -> None:
    """They would have no limit, and keep what the session before has left."""
    script = "import os; os.mkdir('/data'); os.chmod('/data', 0o777)"
    fill = ["sh", "-c", "for i in 1 2 3 4; do head -c 8M /dev/zero >/data/$i; done; du -sm /data"]
    with (
        altered(engine.client, box_image, script, ["VOLUME /data", "VOLUME /tmp"]) as image,
        engine.start(image, SMALL) as box,
    ):
        mounts = box.run(["cat", "/proc/self/mounts"], seconds=60).stdout.decode()
        filled = box.run(fill, seconds=60)
        box.reset()
        after = box.run(["ls", "/data"], seconds=60)
        assert engine.client.inspect_container(box.id)["Mounts"] == []

    assert [line.split()[2] for line in mounts.splitlines() if " /data " in line] == ["tmpfs"]
    assert b"No space left" in filled.stderr
    assert int(filled.stdout.split()[0]) <= 8
    assert after.stdout == b""


def test_a_main_process_that_talks_without_end_is_not_listened_to(
    engine: DockerSandbox, box_image: Image
) -> None:
    script = f"import os; os.remove('/bin/sh'); open('/bin/sh', 'w').write({FLOOD!r}); "
    script += "os.chmod('/bin/sh', 0o755)"
    with altered(engine.client, box_image, script) as image:
        with (
            pytest.raises(SandboxError, match="talks without being asked"),
            engine.start(image, SMALL),
        ):
            pass
        assert left_by(engine.client, str(owner.me())) == NOTHING
