from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from traceproof.sandbox import owner
from traceproof.sandbox.docker.sandbox import DockerSandbox
from traceproof.sandbox.environments import images
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.layout import LABEL, OWNER_LABEL


@contextmanager
def labelled(engine: DockerSandbox, kind: str, key: str, tag: str) -> Iterator[str]:
    """An image of nothing, with the labels of one that was built."""
    name, _, version = tag.partition(":")
    labels = {LABEL: "1", images.KIND: kind, images.KEY: key, OWNER_LABEL: str(owner.me())}
    changes = [f"LABEL {label}={value}" for label, value in labels.items()]
    engine.client.import_image_from_data(
        bytes(1024), repository=name or None, tag=version or None, changes=changes
    )
    wanted = [f"{images.KEY}={key}"]
    (made,) = engine.client.images(filters={"label": wanted}, quiet=True)
    try:
        yield made
    finally:
        engine.client.remove_image(made, force=True)


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["environment", "dependencies", "base"])
def test_labels_alone_make_no_image_that_was_built_here(engine: DockerSandbox, kind: str) -> None:
    """A stage of somebody's Dockerfile may carry them, and so may an image that was fetched."""
    key = secrets.token_hex(32)
    repository = f"escape-test-{key[:8]}"

    with labelled(engine, kind, key, ""):
        assert images.made(engine.client, kind, key) == ""
    with labelled(engine, kind, key, f"{repository}:{key[:16]}"):
        assert images.made(engine.client, kind, key) == ""


@pytest.mark.engine
@pytest.mark.parametrize(
    ("kind", "repository"),
    [("environment", "environment"), ("dependencies", "dependencies"), ("base", "dockerfile")],
)
def test_what_has_our_name_was_built_here(
    engine: DockerSandbox, kind: str, repository: str
) -> None:
    key = secrets.token_hex(32)

    with labelled(engine, kind, key, f"traceproof/{repository}:{key[:16]}") as made:
        assert images.made(engine.client, kind, key) == made
        assert images.made(engine.client, kind, key[:16] + secrets.token_hex(24)) == ""


@pytest.mark.engine
@pytest.mark.parametrize(
    "registry", ["", "docker.io/", "index.docker.io/", "registry-1.docker.io/"]
)
def test_nobody_is_asked_for_an_image_of_our_name(engine: DockerSandbox, registry: str) -> None:
    said: list[str] = []

    with pytest.raises(ImageFailed, match="are made, never fetched"):
        images.named(engine.client, f"{registry}traceproof/base:none", said.append)

    assert said == []
