from __future__ import annotations

import io
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from traceproof.sandbox.environments import Base, Recipe, Source, build, dockerfile
from traceproof.sandbox.environments.dockerfile import with_certificates, without
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.protocol import Setting

if TYPE_CHECKING:
    from traceproof.sandbox.docker.sandbox import DockerSandbox

MARK = "-----BEGIN CERTIFICATE-----\ntraceproof test authority\n-----END CERTIFICATE-----\n"


def test_every_stage_trusts_the_certificates() -> None:
    text = "ARG A=1\nFROM one AS first\nRUN make\nfrom scratch\nCOPY --from=first /x /\nFROM two"

    lines = with_certificates(text).splitlines()

    assert [n for n, line in enumerate(lines) if line.startswith("COPY .traceproof")] == [2, 8]
    assert lines[3].startswith("ENV SSL_CERT_FILE=/.traceproof-certificates.pem ")


def test_a_stream_is_repeated_without_one_file() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("a", ".traceproof-certificates.pem", "b"):
            entry = tarfile.TarInfo(name)
            entry.size = 1000
            archive.addfile(entry, io.BytesIO(name[:1].encode() * 1000))
    data = stream.getvalue()
    pieces = (data[start : start + 700] for start in range(0, len(data), 700))

    again = b"".join(without(pieces, ".traceproof-certificates.pem"))

    with tarfile.open(fileobj=io.BytesIO(again)) as archive:
        assert archive.getnames() == ["a", "b"]
        b = archive.extractfile("b")
        assert b is not None
        assert b.read() == b"b" * 1000


@pytest.fixture
def cleared(
    engine: DockerSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A cache of this test's own; the images that it made are removed in the end."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = {image["Id"] for image in engine.client.images()}
    yield
    for image in engine.client.images(filters={"label": ["of=test_dockerfile"]}):
        if image["Id"] not in before:
            engine.client.remove_image(image["Id"], force=True)


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cleared")
def test_a_projects_own_dockerfile_is_built_once_and_keeps_no_certificate(
    engine: DockerSandbox, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.pem").write_text(MARK)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "tests.sh").write_text("cat /seen; echo $KEPT; test -z $SSL_CERT_FILE\n")
    (folder / "Dockerfile").write_text(
        f'FROM {base}\nLABEL of=test_dockerfile\nENV KEPT="a b" ONCE={uuid.uuid4().hex}\n'
        "RUN grep authority $SSL_CERT_FILE > /dev/null && echo trusted > /seen\n"
    )
    recipe = Recipe(workspace="/srv/project", base=Base(dockerfile="Dockerfile"))

    first = build(engine, recipe, Source(folder=folder))
    again = build(engine, recipe, Source(folder=folder))

    assert first.made == ("base", "dependencies", "environment")
    assert (again.made, again.image) == ((), first.image)
    with engine.start(first.image, Setting()) as box:
        result = box.run(["sh", "tests.sh"], seconds=60)
    assert (result.exit_code, result.stdout) == (0, b"trusted\na b\n")
    history = engine.client.history(first.image.id)
    assert not any("certificates" in str(layer) for layer in history)


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cleared")
def test_a_dockerfile_that_cannot_be_built_is_one_line(
    engine: DockerSandbox, base: str, tmp_path: Path
) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {base}\nRUN echo trouble && exit 5\n")
    recipe = Recipe(workspace="/srv/project", base=Base(dockerfile="Dockerfile"))

    with pytest.raises(ImageFailed, match="the Dockerfile cannot be built") as caught:
        build(engine, recipe, Source(folder=folder))

    assert "\n" not in str(caught.value)
    assert "trouble" in caught.value.log


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("cleared")
def test_a_build_that_talks_without_end_is_given_up(
    engine: DockerSandbox, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerfile, "_SECONDS", 3)
    folder = tmp_path / "tree"
    folder.mkdir()
    talk = "while :; do echo endless; sleep 0.01; done"
    (folder / "Dockerfile").write_text(f"FROM {base}\nRUN : {tmp_path.name}; {talk}\n")
    recipe = Recipe(workspace="/srv/project", base=Base(dockerfile="Dockerfile"))

    with pytest.raises(ImageFailed, match="was not built in 3 s") as caught:
        build(engine, recipe, Source(folder=folder))

    assert caught.value.log.endswith("endless\n")
    deadline = time.monotonic() + 60
    while [one for one in engine.client.containers() if tmp_path.name in one["Command"]]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
