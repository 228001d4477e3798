"""Builds by the engine, with a network: the index that this machine's pip uses must answer."""

from __future__ import annotations

import contextlib
import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest

from support.boxes import debian
from traceproof.sandbox import owner
from traceproof.sandbox.environments import (
    Base,
    Environment,
    Recipe,
    Source,
    build,
    recipe_for,
)
from traceproof.sandbox.environments.lock import load, save
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.protocol import Setting

if TYPE_CHECKING:
    from traceproof.sandbox.docker.sandbox import DockerSandbox

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

WORKSPACE = "/home/somebody/deep/project"
MARK = "-----BEGIN CERTIFICATE-----\ntraceproof test authority\n-----END CERTIFICATE-----\n"
PROJECT = {
    "pyproject.toml": """
        [build-system]
        requires = ["setuptools"]
        build-backend = "setuptools.build_meta"
        [project]
        name = "mine"
        version = "1.2"
        dependencies = ["six"]
        [tool.setuptools]
        py-modules = ["mine"]
        """,
    "mine.py": "import six\ndef double(n): return 2 * n\n",
    "test_mine.py": "import mine\ndef test_double(): assert mine.double(2) == 4\n",
}


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.split("\n")))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def built(engine: DockerSandbox, base: str) -> Iterator[Any]:
    """A builder of environments, whose images are removed in the end."""
    kept: list[str] = []

    def go(source: Source, recipe: Recipe | None = None, **more: Any) -> Environment:
        recipe = recipe or recipe_for(
            source.folder, WORKSPACE, image=base, date="2024-05-01", test_command="pytest -q"
        )
        environment = build(engine, recipe, source, **more)
        kept.append(environment.image.id)
        return environment

    yield go
    for image in dict.fromkeys(kept):
        with contextlib.suppress(docker.errors.ImageNotFound):  # a test has removed it
            remove(engine, image)


def remove(engine: DockerSandbox, image: str) -> None:
    """Remove an environment's image, and its layer of packages if no other stands on it."""
    below = engine.client.inspect_image(image)["Parent"]
    engine.client.remove_image(image, force=True)
    with contextlib.suppress(docker.errors.APIError):
        engine.client.remove_image(below)


def outcome(engine: DockerSandbox, environment: Environment, *argv: str) -> tuple[int | None, str]:
    with engine.start(environment.image, Setting()) as box:
        result = box.run(argv, seconds=60)
    return result.exit_code, result.stdout.decode()


def test_a_project_is_built_once_and_its_tests_run_without_a_network(
    engine: DockerSandbox, built: Any, tmp_path: Path
) -> None:
    files = PROJECT | {"new.txt": uuid.uuid4().hex}
    source = Source(folder=tree(tmp_path / "tree", files))

    first = built(source)
    again = built(source)

    assert first.made[-1] == "environment"
    assert again.made == ()
    assert (again.image, again.lock, again.key) == (first.image, first.lock, first.key)
    code, output = outcome(engine, first, "pytest", "-q")
    assert (code, "1 passed" in output) == (0, True), output
    versions = {package.name: package.version for package in first.lock.packages}
    assert versions["six"] == "1.16.0"  # 1.17.0 came in December 2024
    assert all(package.hashes for package in first.lock.packages)
    assert first.lock.python.startswith("3.")
    assert "C.utf8" in first.lock.locales


def test_the_workspace_is_at_its_path_and_works_own(
    engine: DockerSandbox, built: Any, tmp_path: Path
) -> None:
    source = Source(folder=tree(tmp_path / "tree", PROJECT))

    script = "id -u; pwd; stat -c %U . mine.py; python -c 'import mine; print(mine.__file__)'"
    code, output = outcome(engine, built(source), "sh", "-c", script)

    assert code == 0
    assert output.split() == ["1000", WORKSPACE, "work", "work", f"{WORKSPACE}/mine.py"]


def test_a_change_of_the_code_shares_the_layer_of_packages(built: Any, tmp_path: Path) -> None:
    built(Source(folder=tree(tmp_path / "one", PROJECT)))
    changed = PROJECT | {"mine.py": f"VERSION = '{uuid.uuid4().hex}'\n"}

    other = built(Source(folder=tree(tmp_path / "two", changed)))

    assert other.made == ("environment",)


def test_a_second_machine_builds_an_equal_environment_from_the_lock(
    engine: DockerSandbox, built: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(folder=tree(tmp_path / "tree", PROJECT))
    first = built(source)
    save(first.lock, tmp_path / "environment.lock.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine's"))
    remove(engine, first.image.id)

    second = built(source, lock=load(tmp_path / "environment.lock.json"))

    assert "environment" in second.made
    assert second.lock.same(first.lock)
    assert second.lock == first.lock


def test_no_certificate_of_this_machine_is_in_the_image(
    engine: DockerSandbox, built: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "own.pem"
    bundle.write_text(MARK)
    for name in ("SSL_CERT_FILE", "PIP_CERT"):
        monkeypatch.setenv(name, str(bundle))
    (tmp_path / "tree").mkdir()
    setup = ('grep -q "test authority" "$SSL_CERT_FILE" && echo seen > seen.txt',)
    recipe = Recipe(workspace=WORKSPACE, base=base_of(engine), setup=setup)

    environment = built(Source(folder=tmp_path / "tree"), recipe)

    assert outcome(engine, environment, "cat", "seen.txt") == (0, "seen\n")
    about = json.dumps(engine.client.inspect_image(environment.image.id))
    assert "certificates" not in about
    for layer in saved(engine, environment.image.id):
        assert b"traceproof test authority" not in layer


def base_of(engine: DockerSandbox) -> Any:
    return Base(image=debian(engine.client))


def saved(engine: DockerSandbox, image: str) -> Iterator[bytes]:
    """Everything that the image adds to its base, piece by piece, with overlaps."""
    before = b""
    made = engine.client.create_container_from_config({"Image": image, "Cmd": ["x"]})["Id"]
    try:
        for piece in engine.client.export(made):
            yield before + piece
            before = piece[-100:]
    finally:
        engine.client.remove_container(made)
    yield json.dumps(engine.client.history(image)).encode()


def test_a_build_that_fails_says_so_in_a_line_and_leaves_nothing(
    engine: DockerSandbox, built: Any, tmp_path: Path
) -> None:
    (tmp_path / "tree").mkdir()
    before = {c["Id"] for c in engine.client.containers(all=True)}
    recipe = Recipe(
        workspace=WORKSPACE, base=base_of(engine), setup=("echo one; echo two >&2; exit 7",)
    )

    with pytest.raises(ImageFailed, match=r"^a setup command failed: .*exit code 7\): ") as caught:
        built(Source(folder=tmp_path / "tree"), recipe)

    assert sorted(caught.value.log.split()) == ["one", "two"]
    ours = {"label": ["traceproof=1"]}
    after = {c["Id"] for c in engine.client.containers(all=True, filters=ours)}
    assert not [c for c in after - before if mine(engine, c)]


def mine(engine: DockerSandbox, container: str) -> bool:
    """Whether this process made a container."""
    labels = engine.client.inspect_container(container)["Config"]["Labels"]
    return labels.get("traceproof.owner") == str(owner.me())


def test_a_package_that_does_not_exist_is_named(built: Any, tmp_path: Path) -> None:
    files = PROJECT | {"requirements-test.txt": "traceproof-no-such-package-anywhere\n"}

    with pytest.raises(ImageFailed, match="traceproof-no-such-package-anywhere"):
        built(Source(folder=tree(tmp_path / "tree", files)))


def test_the_version_comes_from_the_nearest_tag(
    engine: DockerSandbox, built: Any, tmp_path: Path
) -> None:
    dynamic = PROJECT["pyproject.toml"].replace('version = "1.2"', 'dynamic = ["version"]')
    dynamic = dynamic.replace('["setuptools"]', '["setuptools", "setuptools-scm"]')
    files = PROJECT | {"pyproject.toml": dynamic + "\n[tool.setuptools_scm]\n"}
    clone = tree(tmp_path / "clone", files)
    settings = ("-c", "user.name=a", "-c", "user.email=a@b")
    for line in ("init -q", "add .", "commit -q -m one", "tag v4.5"):
        subprocess.run(["git", *settings, *line.split()], cwd=clone, check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=clone, check=True, capture_output=True, text=True
    ).stdout.strip()
    source = Source(folder=tree(tmp_path / "tree", files), repository=clone, commit=commit)

    script = (
        "python -c 'import importlib.metadata as m; print(m.version(\"mine\"))'; "
        "git log -1 --format=%s"
    )
    code, output = outcome(engine, built(source), "sh", "-c", script)

    assert (code, output) == (0, "4.5\none\n")


def test_a_runner_too_old_for_this_python_is_replaced_and_that_is_said(
    built: Any, tmp_path: Path
) -> None:
    files = PROJECT | {"requirements-test.txt": "pytest<6\n"}

    made = built(Source(folder=tree(tmp_path / "tree", files)))

    versions = {package.name: package.version for package in made.lock.packages}
    assert int(versions["pytest"].split(".")[0]) >= 7
    assert any("does not run on Python" in note for note in made.lock.notes)
