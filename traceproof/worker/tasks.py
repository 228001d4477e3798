"""What a worker can do with a trace: the command for it, and which files it depends on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from traceproof.export.endpoint import Endpoint
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.store import SUFFIX, Store
from traceproof.replay.verdictfile import SUFFIX as VERDICT
from traceproof.sandbox.environments.detect import CONFIG
from traceproof.worker import naming
from traceproof.workspaces import Workspaces

_PROGRAM = (sys.executable, "-P", "-m", "traceproof")


class Task(Protocol):
    """One thing that is done with every finished trace, once."""

    name: str

    def command(self, trace: Path) -> list[str]:
        """Return the command that does it.

        Raises:
            ValueError: something beside the trace is wrong.
            OSError: it cannot be read.
        """

    def seen(self, trace: Path) -> str:
        """Return what it depends on, in a form that changes with it.

        Raises:
            OSError: the trace is gone.
        """

    def is_there(self, trace: Path) -> bool:
        """Tell whether what it makes is there and newer than all it depends on."""


class Push:
    """Traces to a server that takes OTLP."""

    name = "push"

    def __init__(self, store: Store, endpoint: Endpoint, options: Sequence[str]) -> None:
        """Prepare.

        Args:
            store: whose traces.
            endpoint: where they go.
            options: more of `traceproof push`, which say that, too, if the environment does not.
        """
        self.target, self._key = endpoint.shown, endpoint.key[:16]
        self._rest = ["--json", f"--store={store.path}", *options]

    def command(self, trace: Path) -> list[str]:
        """Return the command that pushes."""
        return [*_PROGRAM, "push", *self._rest, "--", str(trace)]

    def seen(self, trace: Path) -> str:
        """Return the trace's size and time, and where it goes."""
        return f"{_stamp(trace)} {self._key}"

    def is_there(self, trace: Path) -> bool:  # noqa: ARG002 - a `Task`'s
        """Say no: the push itself knows what has gone, whoever sent it."""
        return False


class Verify:
    """Verdicts beside traces."""

    name = "verify"

    def __init__(
        self, store: Store, options: Sequence[str], repositories: Sequence[str] = ()
    ) -> None:
        """Prepare.

        Args:
            store: whose traces.
            options: more of `traceproof verify`.
            repositories: URLs, or beginnings of them up to a slash, that may be cloned because a
                trace names them.
        """
        self._rest = ["--json", "--sandbox=docker", f"--store={store.path}", *options]
        self._repositories = tuple(url.rstrip("/") for url in repositories)

    def command(self, trace: Path) -> list[str]:
        """Return the command that verifies.

        Raises:
            ValueError: the file that names the subject is wrong.
            OSError: it cannot be read.
        """
        named = naming.read(naming.path_of(trace))
        about = named.options(trace.parent) if named else self._own(trace)
        return [*_PROGRAM, "verify", *self._rest, *about, "--", str(trace)]

    def seen(self, trace: Path) -> str:
        """Return sizes and times of the trace and of what says how to verify it."""
        beside = (naming.path_of(trace), trace.parent / CONFIG)
        return " ".join([_stamp(trace), *(_stamp(path) for path in beside if path.is_file())])

    def is_there(self, trace: Path) -> bool:
        """Tell whether there is a verdict that is newer than all it depends on."""
        verdict = trace.with_name(trace.name.removesuffix(SUFFIX) + VERDICT)
        times = [_time(path) for path in (trace, naming.path_of(trace), trace.parent / CONFIG)]
        return _time(verdict) >= max(times)

    def _own(self, trace: Path) -> list[str]:
        """Name the repository that the trace names, if it may be cloned."""
        with suppress(ValueError), TraceReader.open(trace) as reader:
            url = Workspaces(reader).url
            if self._may_clone(url):
                return [f"--repo={url}"]
        return []

    def _may_clone(self, url: str) -> bool:
        if ".." in url or any(map(str.isspace, url)):
            return False
        return any(url == known or url.startswith(f"{known}/") for known in self._repositories)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"


def _time(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime_ns
    return 0
