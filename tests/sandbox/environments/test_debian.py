"""The base itself is made by `make test` beforehand, in minutes; here it is found again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from traceproof.sandbox.environments import debian
from traceproof.sandbox.errors import ImageFailed

if TYPE_CHECKING:
    from traceproof.sandbox.docker.sandbox import DockerSandbox


@pytest.mark.engine
@pytest.mark.usefixtures("base")
def test_a_base_that_is_there_is_not_made_again(engine: DockerSandbox) -> None:
    said: list[str] = []

    found = debian.base(engine.client, "bookworm", say=said.append)

    assert (found.reference, found.made, said) == ("traceproof/base:bookworm", False, [])


@pytest.mark.engine
@pytest.mark.usefixtures("base")
def test_the_base_says_what_it_is_and_trusts_nobody_but_debian(engine: DockerSandbox) -> None:
    about = engine.client.inspect_image("traceproof/base:bookworm")["Config"]

    assert about["Labels"]["traceproof.kind"] == "base"
    assert about["Labels"]["traceproof.suite"] == "bookworm"
    assert not any("CERT" in item for item in about["Env"])


def test_another_suite_is_refused() -> None:
    with pytest.raises(ValueError, match="one of bookworm, trixie"):
        debian.base(None, "potato")


@pytest.mark.engine
def test_what_is_missing_is_said(
    engine: DockerSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ImageFailed, match=r"made as root|debootstrap is not installed"):
        debian.base(engine.client, "bookworm", packages=["never-made"])
