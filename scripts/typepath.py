"""Make .typepath, where type checkers find the packages under the names they are imported as.

The folders at the root are the packages (``recorder/`` is ``traceproof.recorder``): setuptools
knows that from ``package-dir``, type checkers do not, so they get a git-ignored tree of symlinks.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def wanted_links() -> dict[Path, Path]:
    """Map each link to make to its target: ours, and what the end-to-end tests share."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    folders: dict[str, str] = dict(tools["setuptools"]["package-dir"])
    face = Path(folders.pop("traceproof"))
    home = ROOT / ".typepath" / "traceproof"
    links = {home / name.removeprefix("traceproof."): ROOT / d for name, d in folders.items()}
    for entry in (ROOT / face).iterdir():
        if entry.name != "__pycache__":
            links[home / entry.name] = entry
    return links | {home.parent / "support": ROOT / "tests" / "support"}


def main() -> None:
    """Make the links that are missing and remove those that lead nowhere any more."""
    links = wanted_links()
    home = ROOT / ".typepath" / "traceproof"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.iterdir():
        if old not in links:
            old.unlink()
    for link, target in links.items():
        relative = Path(
            *[".."] * len(link.parent.relative_to(ROOT).parts), target.relative_to(ROOT)
        )
        if not link.is_symlink() or link.readlink() != relative:
            link.unlink(missing_ok=True)
            link.symlink_to(relative, target_is_directory=target.is_dir())


if __name__ == "__main__":
    main()
