"""How a Python project gets into a workshop: virtual environment, packages, the project itself."""

from __future__ import annotations

from typing import Final, NamedTuple

from traceproof.sandbox.environments.dates import Rung, tools_for
from traceproof.sandbox.environments.lock import Package, requirements_of
from traceproof.sandbox.environments.resolve import unreached
from traceproof.sandbox.environments.workshop import Done, Workshop, failed, must

OWNED_BY_OTHERS: Final = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
"""Lets git read a workspace that belongs to another user."""
_NO_VERSION: Final = {
    "SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0",
    "PBR_VERSION": "0.0.0",
    "PDM_BUILD_SCM_VERSION": "0.0.0",
    "POETRY_DYNAMIC_VERSIONING_BYPASS": "0.0.0",
}
_ASK: Final = (
    "import platform as p, sys; "
    "print(sys.executable, p.python_implementation(), p.python_version())"
)


class Interpreter(NamedTuple):
    """A Python in a workshop."""

    path: str
    implementation: str
    version: str

    @property
    def minor(self) -> tuple[int, int]:
        """Its major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def name(self) -> str:
        """What it is called in a lock: `3.11.2`, or with its implementation."""
        plain = self.implementation == "CPython"
        return self.version if plain else f"{self.implementation} {self.version}"


def interpreter(shop: Workshop, candidates: tuple[str, ...]) -> Interpreter | None:
    """Return the first Python that is there."""
    for candidate in candidates:
        done = shop.attempt(["sh", "-c", 'exec "$0" -c "$1"', candidate, _ASK])
        if done.exit_code == 0:
            path, implementation, version = done.stdout.split()
            return Interpreter(path, implementation, version)
    return None


def packages(shop: Workshop, chosen: tuple[Package, ...], rung: Rung, python: Interpreter) -> None:
    """Make the virtual environment, with exactly the chosen packages, their hashes checked.

    Raises:
        ImageFailed: one cannot be built or fetched.
    """
    must(shop, _venv(shop, python), "the virtual environment cannot be made")
    if not chosen:
        return
    listed = f"{shop.scratch}/packages.txt"
    shop.write(listed, requirements_of(chosen).encode())
    argv = [
        *_install(shop),
        "--verify-hashes",
        "--compile-bytecode",
        *rung.arguments(),
        "-r",
        listed,
    ]
    done = shop.attempt(argv)
    if done.exit_code:
        unreached(done)
        raise failed("the project's packages cannot be installed", done)


def project(shop: Workshop, date: str, python: Interpreter) -> tuple[str, ...]:
    """Install the project in place, with tools that can; return notes.

    Raises:
        ImageFailed: it cannot be installed.
    """
    day = tools_for(date, python.minor)
    as_of = ["--exclude-newer", day] if day else []
    as_of_day = f"the project was installed with build tools as of {day}"
    ways: list[tuple[str, list[str], dict[str, str]]] = [
        (as_of_day if day > date else "", as_of, {}),
        ("the project was installed with the build tools of the day of the build", [], {}),
        ("the project's version is unknown: it was installed as 0.0.0", as_of, _NO_VERSION),
    ]
    first: Done | None = None
    for note, dates, variables in ways:
        argv = [*_install(shop), *dates, "--editable", shop.workspace]
        done = shop.attempt(argv, cwd=shop.workspace, environment=OWNED_BY_OTHERS | variables)
        if done.exit_code == 0:
            return (note,) if note else ()
        unreached(done)
        first = first or done
    assert first is not None  # noqa: S101 - there are three ways
    raise failed("the project cannot be installed; a `traceproof.toml` can say how", first)


def _venv(shop: Workshop, python: Interpreter) -> list[str]:
    if shop.uv:
        return [shop.uv, "venv", "--quiet", "--no-config", "--no-project", "--python", python.path,
                shop.venv]  # fmt: skip
    return [python.path, "-m", "venv", "--without-pip", shop.venv]


def _install(shop: Workshop) -> list[str]:
    return [shop.uv, "pip", "install", "--no-config", "--no-progress", "--no-deps",
            "--python", f"{shop.venv}/bin/python"]  # fmt: skip
