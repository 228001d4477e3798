"""The log of one recording: made when there is something to say, and without secrets."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from traceproof.recorder.redaction import Redactor

_LOGGER = logging.getLogger("traceproof")


class _Masking(logging.Formatter):
    """Masks what is known to be secret, tracebacks included."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.mask_text(super().format(record))


class RecordLog(logging.FileHandler):
    """A log file that only its owner can read."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        super().__init__(path, delay=True, encoding="utf-8")
        self.setFormatter(_Masking(redactor))
        self.setLevel(logging.WARNING)
        _LOGGER.addHandler(self)
        _LOGGER.propagate = False

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")  # noqa: PTH123

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; where there is no place for a log, do without."""
        with suppress(OSError):  # `logging` opens the file outside what it guards
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Do nothing: the terminal is the agent's, and a full disk is told at the end."""

    def close(self) -> None:
        """Take the log off the logger and close its file, which tries again what it could not."""
        _LOGGER.removeHandler(self)
        with suppress(OSError):
            super().close()

    def remove(self) -> None:
        """Close it and leave no file behind: nothing of the recording is to be kept."""
        self.close()
        Path(self.baseFilename).unlink(missing_ok=True)


def open_log(path: Path, redactor: Redactor) -> RecordLog:
    """Send this process's warnings and errors to a file, until it is closed."""
    return RecordLog(path, redactor)
