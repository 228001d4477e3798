"""Whether what runs and judges tests is still what it was: functions of pytest's and unittest's.

Code under test runs in the same process, and may put others in their place: by mistake, or so that
a failure is not seen. Plugins that are installed may do so; what is of the project may not. This is
no wall: it takes no key away from who looks for it.
"""

import os
import sys
import time
from types import FunctionType, MethodType, ModuleType
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

MODULES = (
    "_pytest.runner", "_pytest.python", "_pytest.reports", "_pytest.main", "_pytest.unittest",
    "_pytest.skipping", "_pytest.assertion", "_pytest.assertion.rewrite", "_pytest.outcomes",
    "pluggy", "pluggy._callers", "pluggy.callers", "pluggy._caller", "pluggy._execution",
    "pluggy._impl", "pluggy._hooks", "pluggy.hooks", "pluggy._manager", "pluggy.manager",
    "pluggy._result", "unittest.case", "unittest.suite", "unittest.result",
)  # fmt: skip
TAMPERED = "tampered: %s was replaced by the project"
EVERY = 0.05
"""Seconds between two looks, of which each takes half a millisecond."""

_WRAPPED = (staticmethod, classmethod)

Place = Tuple[str, str, str]
"""A module, a class in it or nothing, and a name."""


class Guard(object):
    """Remembers functions, and tells which are others now."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root) + os.sep
        self._codes: Dict[Place, Any] = dict(_codes())
        self._installed = os.path.realpath(sys.prefix) + os.sep
        self._realpath, self._clock = os.path.realpath, time.perf_counter
        self._next = 0.0
        self._told = False
        self._known = frozenset(self._codes.values())

    def look(self, *, now: bool) -> str:
        """Look whether something was changed: now, or if it is time; each is told once."""
        if not now and self._clock() < self._next:
            return ""
        changed = "" if self._told else self.changed()
        self._next = self._clock() + EVERY
        self._told = self._told or bool(changed)
        return changed

    def changed(self) -> str:
        """Return the name of a function that the project has put another in place of, or nothing.

        Modules that were loaded since are known by their file: their functions are of it.
        """
        now = dict(_codes())
        for place, code in self._codes.items():
            new = now.get(place)
            if new is not code and self._is_projects(new):
                return ".".join(part for part in place if part)
        for place, code in now.items():
            if place not in self._codes and self._is_projects(code):
                return ".".join(part for part in place if part)
        return ""

    def _is_projects(self, code: Any) -> bool:
        if code in self._known:
            return False
        file = getattr(code, "co_filename", "")
        if not os.path.isabs(file):
            return True  # made by `exec`, or none that could be called as it was
        return self._is_here(file)

    def _is_here(self, file: str) -> bool:
        path = self._realpath(file)
        return path.startswith(self._root) and not path.startswith(self._installed)

    def plugins(self, registered: Iterable[Any]) -> List[str]:
        """Return the modules of the project, no `conftest.py`, that take part in pytest."""
        names = set()
        for one in registered:
            module = one if isinstance(one, ModuleType) else sys.modules.get(type(one).__module__)
            file, name = getattr(module, "__file__", None), getattr(module, "__name__", None)
            if not isinstance(file, str) or not isinstance(name, str):
                continue
            if os.path.basename(file) != "conftest.py" and self._is_here(file):
                names.add(name)
        return sorted(names)


def _codes() -> Iterator[Tuple[Place, Any]]:
    for name in MODULES:
        module = sys.modules.get(name)
        if module is None:
            continue
        for key, value in list(vars(module).items()):
            if isinstance(value, MethodType):  # an installed plugin's, for as long as a test takes
                value = value.__func__  # noqa: PLW2901
            if isinstance(value, FunctionType):
                if value.__module__ == name or not _is_of(value, module):
                    yield (name, "", key), value.__code__
            elif isinstance(value, type) and value.__module__ == name:
                for of, code in _methods(value):
                    yield (name, key, of), code


def _is_of(function: Any, module: Any) -> bool:
    """Tell whether a function is one that the module has imported from elsewhere."""
    home = sys.modules.get(function.__module__)
    return home is not None and home is not module and function.__module__ in MODULES


def _methods(cls: Any) -> Iterator[Tuple[str, Any]]:
    for key, value in list(vars(cls).items()):
        function: Optional[Any] = value.__func__ if isinstance(value, _WRAPPED) else value
        if isinstance(function, FunctionType):
            yield key, function.__code__
