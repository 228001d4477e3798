"""As of which days packages are chosen: the commit's, and later ones where this Python needs them.

A package of 2020 has no wheel for Python 3.11, and a setuptools of 2020 cannot install a project in
place. So there is a ladder: from everything as of the commit's day to everything as of today. The
first rung that works is taken, and the lock says which it was.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

_RELEASED: Final = {
    (3, 8): dt.date(2019, 10, 14),
    (3, 9): dt.date(2020, 10, 5),
    (3, 10): dt.date(2021, 10, 4),
    (3, 11): dt.date(2022, 10, 24),
    (3, 12): dt.date(2023, 10, 2),
    (3, 13): dt.date(2024, 10, 7),
    (3, 14): dt.date(2025, 10, 7),
}
_SETTLED: Final = dt.timedelta(days=180)
"""After a release of Python, until most tools and wheels are there for it."""
_IN_PLACE: Final = dt.date(2022, 9, 1)
"""setuptools installs in place by the standard's way since 64 (August 2022)."""

TOOLS: Final = (
    "setuptools", "wheel", "setuptools-scm", "hatchling", "hatch-vcs", "flit-core", "poetry-core",
    "pdm-backend", "pdm-pep517", "pbr", "cython", "scikit-build-core", "meson-python", "maturin",
)  # fmt: skip
"""What builds packages."""
RUNNERS: Final = ("pytest", "pluggy", "iniconfig", "exceptiongroup", "tomli")
"""What runs tests, with what it needs."""
COMPILED: Final = (
    "aiohttp", "bcrypt", "cffi", "cryptography", "frozenlist", "gevent", "greenlet", "grpcio",
    "h5py", "kiwisolver", "lxml", "matplotlib", "msgpack", "multidict", "numpy", "orjson",
    "pandas", "pillow", "psutil", "psycopg2-binary", "pyarrow", "pydantic-core", "pyyaml",
    "pyzmq", "regex", "rpds-py", "scikit-learn", "scipy", "shapely", "tornado", "yarl",
)  # fmt: skip
"""What builds for long, or not without its own libraries: better a later wheel."""


class Rung(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to choose versions. Empty dates: as of today."""

    everything: str = ""
    tools: str = ""
    runners: str = ""
    compiled: str = ""
    locked: bool = False
    """Whether what the project's own lock says is kept."""
    note: str = ""

    def arguments(self) -> list[str]:
        """Return what to tell uv."""
        if not self.everything:
            return []
        given = ["--exclude-newer", self.everything]
        for name in COMPILED:
            given += ["--only-binary", name]
        for names, date in (
            (TOOLS, self.tools),
            (RUNNERS, self.runners),
            (COMPILED, self.compiled),
        ):
            if date != self.everything:
                given += _for_each(names, date)
        return given


def ladder(date: str, python: tuple[int, int], *, locked: bool = False) -> list[Rung]:
    """Return the ways to choose versions for a project, best first.

    Args:
        date: the commit's, as RFC 3339 or a day; empty: today.
        python: which Python the packages are for.
        locked: whether the project has a lock of its own.
    """
    rungs = _as_of(date, later(date, settled(python)), python) if date else [Rung()]
    first = [msgspec.structs.replace(rungs[0], locked=True)] if locked else []
    if locked:
        note = "the project's own lock cannot be met here: its versions were not kept"
        rungs = [_noted(rung, note) for rung in rungs]
    return first + rungs


def _noted(rung: Rung, note: str) -> Rung:
    return msgspec.structs.replace(rung, note="; ".join(filter(None, (note, rung.note))))


def _as_of(date: str, there: str, python: tuple[int, int]) -> list[Rung]:
    name = "Python {}.{}".format(*python)
    rungs = [Rung(date, date, there, date)]
    if there != date:
        rungs += [
            Rung(date, there, there, date, note=f"build tools as of {there}, for {name}"),
            Rung(
                date, there, there, there,
                note=f"build tools and compiled packages as of {there}: older ones have no wheel "
                f"for {name}",
            ),
            Rung(there, there, there, there, note=f"all packages as of {there}, for {name}"),
        ]  # fmt: skip
    rungs.append(Rung("", "", "", "", note="all packages as of the day of the build"))
    return rungs


def settled(python: tuple[int, int]) -> str:
    """Return the day by which packages had caught up with a Python; empty for one long gone."""
    released = _RELEASED.get(python)
    return (released + _SETTLED).isoformat() if released else ""


def tools_for(date: str, python: tuple[int, int]) -> str:
    """Return the day as of which tools can install an old project in place."""
    return later(later(date, settled(python)), _IN_PLACE.isoformat()) if date else ""


def later(date: str, other: str) -> str:
    """Return the later of two dates, as it was written."""
    return other if other and other[:10] > date[:10] else date


def _for_each(names: tuple[str, ...], date: str) -> list[str]:
    given = []
    for name in names:
        given += ["--exclude-newer-package", f"{name}={date or 'false'}"]
    return given
