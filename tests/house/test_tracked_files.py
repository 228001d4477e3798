"""What must not stand in a tracked file; the words are in pieces, as this file is tracked too."""

from __future__ import annotations

import re
from pathlib import Path

REGISTRIES = [
    "py" + r"pi\.org",
    "python" + "hosted",
    "npm" + r"js\.(org|com)",
    r"(deb|security)\.deb" + "ian",
]
PLACES = [
    "/wor" + r"k/(main|steering|\.)",
    "/roo" + "t/",
    "/tmp/" + "w/",
    "bash_" + "jobs",
]
UNFINISHED = ["TO" + "DO", "FIX" + "ME", r"\bX" + r"XX\b", "NotImplemented" + "Error"]
NOT_RUN = [
    rf"{word}\b"
    for word in ("mark.sk" + "ip", "mark.xf" + "ail", "pytest.sk" + "ip", "importor" + "skip")
]
NOT_RUN += ["mark.sk" + "ipif", "unittest.sk" + "ip"]

# The traces of past format versions are compressed, and stay in the tree for ever.
GOLDEN = "tests/**/golden/*.otlp.jsonl.zst"
GOLDEN_BYTES = 64 * 1024


def lines_with(patterns: list[str], files: list[Path]) -> list[str]:
    pattern = re.compile("|".join(patterns))
    return [
        f"{path}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def python(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py"]


def test_no_registry_is_named(tracked: list[Path]) -> None:
    assert lines_with(REGISTRIES, tracked) == []


def test_no_place_of_a_developers_machine_is_named(tracked: list[Path]) -> None:
    assert lines_with(PLACES, tracked) == []


def test_nothing_is_left_unfinished(tracked: list[Path]) -> None:
    assert lines_with(UNFINISHED, python(tracked)) == []


def test_no_test_is_left_out(tracked: list[Path], root: Path) -> None:
    subjects = root / "benchmarks" / "oracle"  # the tests that `verify` is tried on
    ours = [path for path in python(tracked) if subjects not in path.parents]

    assert lines_with(NOT_RUN, ours) == []


def test_every_file_is_text(tracked: list[Path], root: Path) -> None:
    golden = set(root.glob(GOLDEN))
    binary = [path for path in tracked if path not in golden and b"\0" in path.read_bytes()]

    assert binary == []
    assert [path for path in golden if path.stat().st_size > GOLDEN_BYTES] == []


def test_no_source_file_has_grown_too_long(tracked: list[Path], root: Path) -> None:
    ours = [p for p in python(tracked) if p.relative_to(root).parts[0] != "tests"]

    assert [str(path) for path in ours if len(path.read_text().splitlines()) > 400] == []
