"""Which packages a Python project needs, in which versions: uv works it out, as of a rung's dates.

The commands are made here and their output is read here; a `Workshop` runs them.
"""

from __future__ import annotations

import re
from typing import Final

from traceproof.sandbox.environments.dates import Rung
from traceproof.sandbox.environments.lock import Package, packages_of
from traceproof.sandbox.environments.recipe import Python
from traceproof.sandbox.environments.workshop import Done, Unreachable, Workshop, failed
from traceproof.sandbox.errors import SandboxError

_OLDEST_PYTEST: Final = {10: (6, 2, 5), 11: (7, 0), 12: (7, 3), 13: (8, 1), 14: (8, 4)}
"""The first pytest that runs on a Python 3."""
_UNREACHED: Final = (
    "dns error", "Connection refused", "error sending request", "invalid peer certificate",
    "tunnel error", "Connection reset",
)  # fmt: skip


def needs_anything(python: Python) -> bool:
    """Say whether there is something to resolve."""
    return bool(python.metadata or python.files or python.requirements or python.runner)


def resolve(
    shop: Workshop, python: Python, rung: Rung, interpreter: str, version: tuple[int, int]
) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    """Return the packages that a project needs, and notes.

    Raises:
        ImageFailed: there is no such choice of versions.
    """
    packages = _compile(shop, python, rung, interpreter, version, overrides="")
    oldest = _OLDEST_PYTEST.get(version[1], (0,))
    old = [p for p in packages if p.name == "pytest" and _numbers(p.version) < oldest]
    if not old:
        return packages, ()
    floor = ".".join(map(str, oldest))
    packages = _compile(shop, python, rung, interpreter, version, overrides=f"pytest>={floor}\n")
    note = "the project asks for pytest {}, which does not run on Python {}.{}: a newer one is used"
    return packages, (note.format(old[0].version, *version),)


def _compile(
    shop: Workshop,
    python: Python,
    rung: Rung,
    interpreter: str,
    version: tuple[int, int],
    *,
    overrides: str,
) -> tuple[Package, ...]:
    wanted = [*python.requirements, *filter(None, [python.runner])]
    if version < (3, 12):
        wanted.append("setuptools")  # which came with every environment of these Pythons
    scratch = shop.scratch
    files = {"more.in": wanted, "overrides.txt": overrides.splitlines()}
    files["constraints.txt"] = list(python.constraints) if rung.locked else []
    for name, lines in files.items():
        shop.write(f"{scratch}/{name}", "\n".join([*lines, ""]).encode())
    done = shop.attempt(_command(shop, python, rung, interpreter), cwd=shop.workspace)
    if done.exit_code:
        raise _refused(done)
    return packages_of(done.stdout)


def _command(shop: Workshop, python: Python, rung: Rung, interpreter: str) -> list[str]:
    scratch = shop.scratch
    argv = [shop.uv, "pip", "compile", "--quiet", "--no-config", "--python", interpreter]
    argv += ["--generate-hashes", "--no-header", "--no-annotate"]
    argv += ["--constraints", f"{scratch}/constraints.txt"]
    argv += ["--overrides", f"{scratch}/overrides.txt", *rung.arguments()]
    for extra in python.extras:
        argv.append(f"--extra={extra}")
    for group in python.groups:
        argv.append(f"--group={group}")
    return [*argv, "--", *filter(None, [python.metadata]), *python.files, f"{scratch}/more.in"]


def _refused(done: Done) -> SandboxError:
    unreached(done)
    return failed("the packages that the project needs cannot be chosen", done)


def unreached(done: Done) -> None:
    """Raise if a step failed since the package index does not answer.

    Raises:
        Unreachable: it does not.
    """
    if any(sign in done.output for sign in _UNREACHED):
        error = failed("the package index cannot be reached; look at the network", done)
        raise Unreachable(str(error), getattr(error, "log", ""))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
