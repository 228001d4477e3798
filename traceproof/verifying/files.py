"""Where a verdict and its files are: beside the trace, or in the store's folder of verdicts.

What is in them is the business of `traceproof.replay`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from traceproof.recorder.store import SUFFIX, Store, make_private
from traceproof.replay import runsfile
from traceproof.replay.reports import Reports
from traceproof.replay.verdictfile import SUFFIX as VERDICT
from traceproof.verifying.subject import Origin

VERDICTS = "verdicts"
_SHORT = 12


class Files(NamedTuple):
    """The files of one verdict; they share a folder and a beginning."""

    verdict: Path
    runs: Path
    html: Path
    ctrf: Path
    junit: Path
    intoto: Path

    @classmethod
    def at(cls, stem: Path) -> Files:
        """Return those whose names begin so."""
        runs = stem.with_name(stem.name + runsfile.SUFFIX)
        return cls(stem.with_name(stem.name + VERDICT), runs, *Reports.at(stem))

    @property
    def stem(self) -> Path:
        """The path that all of them begin with."""
        return self.verdict.with_name(self.verdict.name.removesuffix(VERDICT))

    @classmethod
    def of_verdict(cls, verdict: Path) -> Files:
        """Return those of a verdict's file."""
        return cls.at(verdict.with_name(verdict.name.removesuffix(VERDICT)))


def files_for(origin: Origin, store: Store, folder: Path | None) -> Files:
    """Return where a subject's verdict goes.

    Args:
        origin: the subject's.
        store: has a folder for those without a trace.
        folder: where the user wants it.

    Raises:
        OSError: the folder cannot be made.
    """
    if origin.trace:
        trace = Path(origin.trace)
        name, place = trace.name.removesuffix(SUFFIX), folder or trace.parent
    else:
        known = (origin.commit or origin.base_tree)[:_SHORT]
        patched = "" if origin.base_tree == origin.final_tree else f"-{origin.final_tree[:_SHORT]}"
        title = origin.repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
        name = f"{re.sub(r'[^A-Za-z0-9._-]+', '_', title) or 'repository'}-{known}{patched}"
        place = folder or store.path / VERDICTS
        if folder is None:
            store.create()
            make_private(place)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"--report {place}: not a folder")
    place.mkdir(parents=True, exist_ok=True)
    return Files.at(place / name)


def find_verdict(name: str, store: Store) -> Files:
    """Return the files of a verdict: by its own name, by its trace's, or the newest there is.

    Raises:
        FileNotFoundError: there is none.
        LookupError: no trace answers to the name.
    """
    if not name:
        return Files.of_verdict(_newest(store))
    path = Path(name)
    if not name.endswith(VERDICT):
        trace = store.find(name)
        path = trace.with_name(trace.name.removesuffix(SUFFIX) + VERDICT)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no verdict; `traceproof verify` makes one")
    return Files.of_verdict(path)


def _newest(store: Store) -> Path:
    places = (store.traces_path, store.path / VERDICTS)
    found = [path for place in places if place.is_dir() for path in place.glob(f"*{VERDICT}")]
    found = [path for path in found if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise FileNotFoundError(f"no verdict in {store.path}: `traceproof verify` makes one")
    return max(found, key=lambda path: path.stat().st_mtime_ns)
