"""Work out from a tree what its tests need: the door to `config`, `declared` and `older`.

Files of the tree are read, never run.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

import msgspec

from traceproof.sandbox.environments import config, declared, untrusted
from traceproof.sandbox.environments.config import Config
from traceproof.sandbox.environments.recipe import Base, Node, Python, Recipe

CONFIG: Final = "traceproof.toml"
_PYTEST: Final = re.compile(r"(?<![\w.-])(pytest|py\.test)(?![\w-])")
_SYSTEM: Final = frozenset({
    "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "srv", "sys", "tmp", "usr", "var",
})  # fmt: skip
_KERNEL: Final = ("/proc/", "/sys/", "/dev/")
_OTHERS: Final = {
    "go.mod": "Go", "Cargo.toml": "Rust", "pom.xml": "Java", "build.gradle": "Java",
    "Gemfile": "Ruby", "composer.json": "PHP", "mix.exs": "Elixir", "CMakeLists.txt": "C or C++",
}  # fmt: skip


def recipe_for(
    folder: Path,
    workspace: str,
    *,
    image: str = "",
    dockerfile: str = "",
    config_file: Path | None = None,
    date: str = "",
    test_command: str = "",
) -> Recipe:
    """Return what to build for a tree.

    Args:
        folder: the tree.
        workspace: the absolute path that it had, and will have in the box.
        image: a reference to start from; it comes before what the configuration says.
        dockerfile: a Dockerfile in the tree; likewise.
        config_file: a `traceproof.toml` beside the trace; it comes before the tree's own.
        date: as of when versions are chosen (RFC 3339 or a day): the commit's.
        test_command: how the tests will be run; it comes before what the configuration says.

    Raises:
        FileNotFoundError: a file that was named is not there.
        ValueError: the configuration is wrong, or nothing can be worked out.
    """
    said = config.read(config_file, needed=True) if config_file else config.of_tree(folder, CONFIG)
    base = _base(folder, said, image, dockerfile)
    test = test_command or said.test
    plain = Recipe(
        workspace=_checked(workspace),
        base=base,
        date=said.date or date,
        system=said.system,
        setup=said.setup,
        environment=said.env,
        test=test,
        report=said.report,
    )
    if said.setup:
        return plain
    return _worked_out(folder, plain, said, test)


def _worked_out(folder: Path, plain: Recipe, said: Config, test: str) -> Recipe:
    python = declared.python(folder, said)
    node = Node() if (folder / "package-lock.json").is_file() else None
    if python is None and node is None:
        python = _without_packages(folder, plain.base)
    if python is not None:
        runner = "pytest" if _PYTEST.search(test) else ""
        python = msgspec.structs.replace(python, runner=runner)
    return msgspec.structs.replace(plain, python=python, node=node)


def _without_packages(folder: Path, base: Base) -> Python | None:
    """Return the needs of a tree that declares none.

    Raises:
        ValueError: it is in another language, and no image was named.
    """
    if base.image or base.dockerfile:
        return None
    language = next((_OTHERS[name] for name in _OTHERS if (folder / name).exists()), "")
    javascript = (folder / "package.json").exists()
    if language or javascript:
        what = language or "Node without a package-lock.json"
        raise ValueError(
            f"what a project in {what} needs is not worked out: name a Dockerfile with "
            "`--dockerfile`, or an image with `--image`"
        )
    return Python()


def _base(folder: Path, said: Config, image: str, dockerfile: str) -> Base:
    if image and dockerfile:
        raise ValueError("an image and a Dockerfile were named: one of them is enough")
    given = Base(image=image, dockerfile=dockerfile)
    chosen = given if image or dockerfile else Base(image=said.image, dockerfile=said.dockerfile)
    if chosen.dockerfile and untrusted.content(folder, chosen.dockerfile) is None:
        raise FileNotFoundError(f"there is no {chosen.dockerfile} in the tree")
    return chosen


def _checked(workspace: str) -> str:
    """Return a workspace's path, without what means nothing in it.

    Raises:
        ValueError: no folder of its own could be there.
    """
    path = posixpath.normpath(workspace)
    ours = path.startswith("/") and path.strip("/") not in _SYSTEM and path.strip("/")
    if not ours or path.startswith(_KERNEL):
        raise ValueError(f"{workspace} cannot be a workspace: name a folder of its own")
    return path
