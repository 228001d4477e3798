from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import docker.errors
import pytest

from traceproof.sandbox import owner
from traceproof.sandbox.docker import prune as prune_module
from traceproof.sandbox.docker.config import labels
from traceproof.sandbox.docker.prune import Pruned, prune
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.layout import LABEL, OWNER_LABEL
from traceproof.sandbox.protocol import Image, Setting

pytestmark = pytest.mark.engine

CHILD = "from traceproof.sandbox import owner; print(owner.me())"


@pytest.fixture
def dead() -> dict[str, str]:
    """The labels of a process that has ended."""
    told = subprocess.run(
        [sys.executable, "-P", "-c", CHILD], capture_output=True, text=True, check=True
    )
    return {LABEL: "1", OWNER_LABEL: told.stdout.strip()}


@pytest.fixture
def made(engine: DockerSandbox) -> Iterator[list[str]]:
    """Containers that a test makes; those that are left are removed."""
    containers: list[str] = []
    yield containers
    for container in containers:
        try:
            engine.client.remove_container(container, force=True)
        except docker.errors.NotFound:
            continue


def create(client: Any, image: str, labels: dict[str, str], **more: Any) -> str:
    body = {"Image": image, "Entrypoint": ["sleep", "100"], "Labels": labels, **more}
    return client.create_container_from_config(body)["Id"]


def there(client: Any, containers: list[str]) -> list[bool]:
    known = {item["Id"] for item in client.containers(all=True)}
    return [container in known for container in containers]


def test_what_the_dead_left_is_removed_and_nothing_else(
    engine: DockerSandbox, box_image: Image, dead: dict[str, str], made: list[str]
) -> None:
    client = engine.client
    never_ran = create(client, box_image.id, dead)
    runs = create(client, box_image.id, dead)
    client.start(runs)
    mine = create(client, box_image.id, labels())
    strangers = create(client, box_image.id, {LABEL: "0", OWNER_LABEL: dead[OWNER_LABEL]})
    elsewhere = {LABEL: "1", OWNER_LABEL: str(owner.me()._replace(namespace="1"))}
    unknown = create(client, box_image.id, elsewhere)
    made += [never_ran, runs, mine, strangers, unknown]
    network = client.create_network("traceproof-test-dead", labels=dead, internal=True)["Id"]
    volume = client.create_volume("traceproof-test-dead", labels=dead)["Name"]
    image = client.commit(never_ran, changes=["ENV LEFT=1"])["Id"]

    done = prune(client)

    assert there(client, made) == [False, False, True, True, True]
    assert {never_ran[:12], runs[:12]} <= set(done.containers)
    assert "traceproof-test-dead" in done.networks
    assert "traceproof-test-dead" in done.volumes
    assert image.removeprefix("sha256:")[:12] in done.images
    assert done.left >= 2
    for look, name in (
        (client.inspect_network, network),
        (client.inspect_volume, volume),
        (client.inspect_image, image),
    ):
        with pytest.raises(docker.errors.NotFound):
            look(name)


class Narrowed:
    """The engine with some of its containers alone: others are at work with the rest."""

    def __init__(self, client: Any, containers: list[str]) -> None:
        self._client, self._known = client, containers

    def containers(self, **wanted: Any) -> list[Any]:
        return [one for one in self._client.containers(**wanted) if one["Id"] in self._known]

    def networks(self, **_: Any) -> list[Any]:
        return []

    def volumes(self, **_: Any) -> dict[str, Any]:
        return {"Volumes": None}

    def images(self, **_: Any) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_a_container_of_yours_stays_though_its_image_is_ours(
    engine: DockerSandbox, box_image: Image, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the labels of its image, and nobody's name."""
    client = engine.client
    monkeypatch.setattr(prune_module, "UNKNOWN_SECONDS", -60)
    made += [create(client, box_image.id, {LABEL: "1", OWNER_LABEL: name}) for name in ("", "x:y")]
    unknown = {LABEL: "1", OWNER_LABEL: str(owner.me()._replace(namespace="1"))}
    made.append(create(client, box_image.id, unknown))

    prune(Narrowed(client, made))

    assert there(client, made) == [True, True, False]


def test_a_box_in_use_stays(engine: DockerSandbox, box_image: Image) -> None:
    with engine.start(box_image, Setting()) as box:
        prune(engine.client)

        assert box.run(["true"], seconds=60).exit_code == 0
    assert engine.client.inspect_image(box_image.id)


def test_what_was_removed_is_told_by_name() -> None:
    assert Pruned() == Pruned(containers=[], networks=[], volumes=[], images=[], left=0)
