"""What every Python process of the tests does at its start: the clock, and a watch for pytest.

It imports as little as it can: most processes never see a test.
"""

import os
import sys
from typing import Any, Dict, Optional

from . import job as jobs

state: Dict[str, Any] = {"folder": "", "clock": ""}
"""The folder on PYTHONPATH, and why the clock could not be shifted."""

WATCHED = {"_pytest.config": "plugin", "unittest.runner": "unit"}
"""Which module of ours is for which of theirs."""


class Watch(object):
    """Waits for pytest or unittest to be imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002
        """Find one of them as it would be found without us, and see it executed."""
        if name not in WATCHED:
            return None
        sys.meta_path.remove(self)
        try:
            from importlib.util import find_spec  # noqa: PLC0415

            spec = find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = Loader(self, spec.loader)  # type: ignore[assignment]
        return spec


class Loader(object):
    """Executes a module by its own loader, then has ours look at it."""

    def __init__(self, watch: Watch, loader: Any) -> None:
        self._watch = watch
        self._loader = loader

    def create_module(self, spec: Any) -> Any:
        """Leave it to the module's own loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Execute the module, which keeps no trace of us."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if module.__name__ == "_pytest.config" and self._watch in sys.meta_path:
            sys.meta_path.remove(self._watch)
        _ours(WATCHED[module.__name__]).arm(module)


def _ours(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return import_module("." + name, __package__)
    finally:
        sys.dont_write_bytecode = written


def start(folder: str) -> None:
    """Shift the clock if asked to, and wait for pytest or unittest."""
    state["folder"] = folder
    clock = os.environ.get(jobs.CLOCK)
    if clock:
        state["clock"] = _shift(clock)
    if os.environ.get(jobs.SWITCH):
        sys.setswitchinterval(float(os.environ[jobs.SWITCH]))
    if os.environ.get(jobs.VARIABLE):
        sys.meta_path.insert(0, Watch())


def _shift(clock: str) -> str:
    """Shift the clock; return why that cannot be done."""
    try:
        ahead, _, since = clock.partition(":")
        _ours("clock").shift(int(ahead), int(since))
    except Exception as error:
        return "%s: %s" % (type(error).__name__, error)
    return ""


def claim() -> Optional[jobs.Job]:
    """Take the job, and leave the environment as it was without us.

    Where the clock is shifted, PYTHONPATH stays: the processes that tests start need it as well.
    """
    job = jobs.claim()
    if not os.environ.get(jobs.CLOCK):
        os.environ.pop(jobs.SWITCH, None)
        _leave_path()
    return job


def _leave_path() -> None:
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in entries if os.path.abspath(entry) != state["folder"]]
    if any(kept):
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    else:
        os.environ.pop("PYTHONPATH", None)


def forget() -> None:
    """Take our modules out of `sys.modules`: tests find nothing there that they had not before."""
    for name in [one for one in sys.modules if one.partition(".")[0] == __package__]:
        del sys.modules[name]
