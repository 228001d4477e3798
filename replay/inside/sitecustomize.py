"""Starts what is beside it in a Python process of the tests; it does nothing else.

Python imports `sitecustomize` when it starts. This one takes itself off `sys.path` and out of
`sys.modules`, and lets the one that it stands before be imported instead. It parses on Python 2.7,
does its part from 3.6 on, and says nothing, whatever happens: who is not heard from is noticed.
"""

# It must parse on Python 2.7, and be quick.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, arg-type, union-attr"

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
"""This folder, as it stands on PYTHONPATH."""

PACKAGE = "_traceproof"


def _leave_path():
    for entry in [entry for entry in sys.path if os.path.abspath(entry) == HERE]:
        sys.path.remove(entry)
        sys.path_importer_cache.pop(entry, None)


def _package():
    """Load this folder as a package."""
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    place = os.path.join(HERE, "__init__.py")
    spec = spec_from_file_location(PACKAGE, place, submodule_search_locations=[HERE])
    package = module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _enter():
    _leave_path()
    if sys.version_info < (3, 6):
        return
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        _package()
        from importlib import import_module  # noqa: PLC0415

        import_module(PACKAGE + ".start").start(HERE)
    except Exception:
        pass
    finally:
        sys.dont_write_bytecode = written


if __name__ == "sitecustomize":
    _enter()
    del sys.modules["sitecustomize"]
    __import__("sitecustomize")  # the one behind us; that there is none is for `site` to see
