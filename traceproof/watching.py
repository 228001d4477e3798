"""Who watches the workspace of a recording, made from its settings."""

from __future__ import annotations

from collections.abc import Callable

from traceproof.recorder.redaction import Redactor
from traceproof.recorder.secret_files import reader_for
from traceproof.recorder.workspace.lookout import Place
from traceproof.recorder.workspace.watch import Watcher
from traceproof.recorder.writer import TraceWriter
from traceproof.settings import Settings

_MOST_LEARNED = 200
"""Secrets of files that come to be meanwhile: each slows masking a little."""


def new_watcher(
    settings: Settings, writer: TraceWriter, redactor: Redactor, consents: Callable[[int], bool]
) -> Watcher | None:
    """Return who watches the folder that the agent works in; None if nobody is to."""
    if settings.snapshots == "off":
        return None
    ignored = settings.snapshots == "all"
    place = Place(settings.cwd, settings.environment, settings.store.path, ignored=ignored)
    return Watcher(place, writer, learn=_Learner(redactor), consents=consents)


class _Learner:
    """Makes the secrets of credential files known before the files are stored."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = _MOST_LEARNED

    def __call__(self, path: str, data: bytes) -> None:
        reader = reader_for(path)
        if reader is None or not self._left:
            return
        found = reader(data.decode("utf-8", "replace"))[: self._left]
        new = [secret for secret in found if self._redactor.mask_text(secret.value) == secret.value]
        self._redactor.add_all(new)
        self._left -= len(new)
