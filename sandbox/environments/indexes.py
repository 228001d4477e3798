"""The package indexes that this machine's pip and npm are set to, for the commands of a build.

uv does not read pip's files, and a container has none of them. Addresses may hold passwords: they
go into the environment of single commands, never into a lock, a log or an image.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FILES: Final = (
    Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), Path("~/.pip/pip.conf"),
    Path("~/.config/pip/pip.conf"),
)  # fmt: skip
_PIP: Final = {
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    "extra-index-url": ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
}
_OWN: Final = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
               "npm_config_registry")  # fmt: skip


def variables(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables that name the indexes to pip, uv and npm.

    Only addresses that a container can reach: what pip finds in this machine's folders is left out.

    Args:
        environment: this process's.
        home: where the user's files are.
    """
    parser = _files(environment, home)
    found: dict[str, str] = {}
    for option, names in _PIP.items():
        value = environment.get(names[0]) or parser.get("global", option, fallback="") or ""
        addresses = [each for each in value.split() if each.startswith(("https://", "http://"))]
        if addresses:
            found |= dict.fromkeys(names, " ".join(addresses))
    return found | {name: environment[name] for name in _OWN if environment.get(name)}


def _files(environment: Mapping[str, str], home: Path) -> configparser.RawConfigParser:
    """Read pip's files; one that is no such file says nothing, as pip will say itself."""
    parser = configparser.RawConfigParser(strict=False)
    named = [Path(environment["PIP_CONFIG_FILE"])] if environment.get("PIP_CONFIG_FILE") else []
    for path in (*_FILES, *named):
        real = home / path.relative_to("~") if path.parts[0] == "~" else path
        if real.is_file():
            parser.read(real, "utf-8")
    return parser
