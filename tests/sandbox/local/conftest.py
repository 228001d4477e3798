"""Local boxes, both kinds; and what may not be left of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import localboxes
from traceproof.sandbox.local.backend import LocalSandbox
from traceproof.sandbox.protocol import Image


@pytest.fixture(scope="session")
def local_image() -> Iterator[Image]:
    """A local image with a small workspace."""
    with localboxes.image() as made:
        yield made


@pytest.fixture(params=["best", "plain"])
def sandbox(request: pytest.FixtureRequest) -> LocalSandbox:
    """The best that this machine allows, and then boxes without namespaces."""
    return LocalSandbox("" if request.param == "plain" else None)
