"""The program as one compiled file, so that its start looks for no module and compiles none.

The modules of this package lie in it one after the other; none of the packages above is loaded.
"""

from __future__ import annotations
import __future__

import ast
import importlib.util
import marshal
from pathlib import Path
from types import CodeType

MODULES = (
    "wire",
    "signals",
    "proc",
    "sockets",
    "descriptors",
    "environment",
    "plan",
    "happening",
    "script",
    "outer",
    "body",
    "itself",
    "forked",
    "terminal",
    "streams",
    "channel",
    "tail",
    "outlet",
    "stops",
    "relay",
    "link",
    "watch",
    "command",
    "main",
)
"""What the program is made of; each needs only those before it."""

_PACKAGE = "traceproof.recorder.shim"

_LOADER = """\
import marshal, sys
def load(package, modules, *call):
    within = None
    for name in package.split("."):
        within = within + "." + name if within else name
        sys.modules[within] = above = type(sys)(within)
        above.__path__ = []
    for name, code in modules:
        module = type(sys)(package + "." + name)
        sys.modules[module.__name__] = module
        setattr(above, name, module)
        exec(code, module.__dict__)
    module.main(*call)
load(*marshal.loads(%r))
"""


def compiled(settings: dict[str, str], originals: dict[bytes, bytes | None]) -> bytes:
    """Return the program as a `.pyc` file of this Python.

    Args:
        settings: What `main` is called with.
        originals: Likewise.
    """
    loader = compile(source(settings, originals), "<shim>", "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(loader)


def source(settings: dict[str, str], originals: dict[bytes, bytes | None]) -> str:
    """Return the program as Python's source.

    Args:
        settings: What `main` is called with.
        originals: Likewise.
    """
    modules = [(name, _module(name)) for name in MODULES]
    return _LOADER % marshal.dumps((_PACKAGE, modules, settings, originals))


def _module(name: str) -> CodeType:
    tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_bytes())
    tree.body = [part for part in tree.body if not _is_future(part)]
    flags = __future__.annotations.compiler_flag
    code = compile(tree, f"<shim {name}>", "exec", flags=flags, dont_inherit=True, optimize=2)
    assert isinstance(code, CodeType)  # noqa: S101  # not a tree: no flag asks for one
    return code


def _is_future(part: ast.stmt) -> bool:
    return isinstance(part, ast.ImportFrom) and part.module == "__future__"
