from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from traceproof.recorder.workspace.ignore import Rules, ignored


def asked(folder: Path, patterns: bytes, paths: list[bytes]) -> set[bytes]:
    """Ask git which of some paths it ignores; a path that ends with a slash is a folder."""
    (folder / ".gitignore").write_bytes(patterns)
    ended = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin", "--verbose", "--non-matching"],
        cwd=folder,
        input=b"\0".join(paths) + b"\0",
        capture_output=True,
        check=False,
    )
    fields = ended.stdout.split(b"\0")[:-1]
    rows = zip(*[iter(fields)] * 4, strict=True)
    return {path for _, _, pattern, path in rows if pattern and not pattern.startswith(b"!")}


def judged(patterns: bytes, paths: list[bytes]) -> set[bytes]:
    """Say the same by our rules, folder by folder from the top as a scan does."""
    rules = [Rules(patterns)]
    return {path for path in paths if _hidden(rules, path)}


def _hidden(rules: list[Rules], path: bytes) -> bool:
    names = path.rstrip(b"/").split(b"/")
    return any(
        ignored(rules, names[:size], folder=size < len(names) or path.endswith(b"/"))
        for size in range(1, len(names) + 1)
    )


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


NAMES = [
    b"a",
    b"ab",
    b"b.c",
    b"x.py",
    b"a]b",
    b"-",
    b"\\",
    b"A",
    b"7",
    b" b ",
    b"\xff\xfe",
    b"#",
    b"!a",
]


def test_patterns_mean_what_they_mean_to_git(folder: Path) -> None:
    rng = random.Random(4)
    pieces = [
        b"a", b"b", b"*", b"?", b"**", b"/", b"/", b".c", b"*.py", b"[ab]", b"[!a]", b"[^b]", b"]",
        b"[a-z]", b"[[:digit:]]", b"[]a]", b"[a-]", b"\\", b"\\*", b" ", b"\\ ", b"x", b"[",
        b"\xff",
        b"#", b"!", b"[[:nope:]]", b"[z-a]", b"[\\]]", b"[--7]",
    ]  # fmt: skip
    paths = [*NAMES]
    paths += [b"/".join(rng.choices(NAMES, k=rng.randint(2, 4))) for _ in range(120)]
    paths = sorted({path for path in paths if not path.startswith(b"/")})
    for _ in range(150):
        lines = []
        for _ in range(rng.randint(1, 4)):
            start = rng.choice([b"", b"", b"!", b"/", b"#"])
            end = rng.choice([b"", b"", b"/", b" "])
            lines.append(start + b"".join(rng.choices(pieces, k=rng.randint(1, 5))) + end)
        patterns = rng.choice([b"\n", b"\r\n"]).join(lines) + b"\n"
        assert judged(patterns, paths) == asked(folder, patterns, paths), patterns


def test_the_usual_ones(folder: Path) -> None:
    patterns = b"*.pyc\n/build/\nnode_modules\n!keep.pyc\ndocs/**/*.html\n**/cache\nlogs/**\n"
    paths = [
        b"a.pyc", b"keep.pyc", b"sub/a.pyc", b"build/x", b"sub/build/x", b"node_modules/p/i.js",
        b"sub/node_modules/q", b"docs/a.html", b"docs/x/y/a.html", b"x/cache", b"logs", b"logs/a/b",
    ]  # fmt: skip
    assert judged(patterns, paths) == asked(folder, patterns, paths)
    assert b"sub/build/x" not in judged(patterns, paths)


def test_the_nearest_rules_count_most() -> None:
    above, below = Rules(b"*.log\n"), Rules(b"!kept.log\n", base=(b"sub",))

    assert not ignored([below, above], (b"sub", b"kept.log"), folder=False)
    assert ignored([below, above], (b"sub", b"other.log"), folder=False)


def test_no_pattern_takes_long() -> None:
    hostile = Rules(b"*a" * 60 + b"*b\n" + b"**/" * 40 + b"b\n")

    assert not ignored([hostile], (b"a" * 250,), folder=False)
    assert not ignored([hostile], (b"a",) * 120, folder=False)
