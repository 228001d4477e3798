"""Watches for pytest in a process of the user's, and hands it the plugin beside this file.

Python imports `sitecustomize` when it starts. This one takes itself off `sys.path` and out of
`sys.modules`, lets the one that it stands before be imported instead, and leaves an import hook
that does nothing until pytest is imported, and goes then. It runs on Python 2.7 and later, does its
part from 3.5 on, and says nothing, whatever happens.
"""

# It must run on Python 2.7, quickly, and without a word.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, attr-defined, assignment"

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
"""This folder, as it stands on PYTHONPATH."""

NAME = "TRACEPROOF_TESTS"
"""The variable that says where to tell: `u` or `s`, token, command, socket, with colons between.

`u` says that PYTHONPATH was unset (or empty) before, `s` that it was set.
"""


class _Watch(object):
    """Waits for `_pytest.config` to be imported."""

    def find_spec(self, name, path=None, target=None):
        """Find `_pytest.config` as it would be found without us, and see it executed."""
        if name != "_pytest.config":
            return None
        try:
            sys.meta_path.remove(self)
            from importlib.util import find_spec  # noqa: PLC0415 -- most processes never need it

            spec = find_spec(name)
            if spec is not None and hasattr(spec.loader, "exec_module"):
                spec.loader = _Loader(spec.loader)
        except Exception:
            return None
        return spec


class _Loader(object):
    """Executes `_pytest.config` by its own loader, then arms the plugin."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        """Leave it to the module's own loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module):
        """Execute the module, which keeps no trace of us, and arm the plugin."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        try:
            _arm(module)
        except Exception:
            pass


def _arm(config):
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    name = "traceproof_pytest"
    spec = spec_from_file_location(name, os.path.join(HERE, name + ".py"))
    if spec is None or spec.loader is None:
        return
    plugin = module_from_spec(spec)
    spec.loader.exec_module(plugin)
    sys.modules[name] = plugin
    plugin.arm(config, HERE, NAME)


def _leave_path():
    """Take this folder off `sys.path`.

    A script's `PYTHONPATH=$PYTHONPATH:src` had an empty first entry where the variable was unset,
    and that means the working folder: then the working folder it is.
    """
    unset = os.environ.get(NAME, "").startswith("u:")
    stands_for_empty = unset and os.environ.get("PYTHONPATH", "") != HERE
    places = [place for place, entry in enumerate(sys.path) if entry == HERE]
    for place in reversed(places):
        del sys.path[place]
    if places and stands_for_empty:
        folder = os.getcwd()
        if folder not in sys.path[: places[0]]:
            sys.path[places[0] :] = [folder] + [e for e in sys.path[places[0] :] if e != folder]
    sys.path_importer_cache.pop(HERE, None)


def _enter():
    try:
        _leave_path()
        if sys.version_info >= (3, 5) and os.environ.get(NAME):
            sys.meta_path.insert(0, _Watch())
    except Exception:
        pass


if __name__ == "sitecustomize":
    _enter()
    del sys.modules["sitecustomize"]
    __import__("sitecustomize")  # the one behind us; that there is none is for `site` to see
