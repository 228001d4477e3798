"""The job: a file that one process at a time may take, and puts back when it is done.

While tests run, the key with which reports are sealed is in the memory of their process alone: the
file is gone. What is put back for the next pytest or unittest of the same command has another key.
"""

import hashlib
import json
import os
from typing import Any, Dict, Optional, Tuple

VARIABLE = "TRACEPROOF_JOB"
"""Names the job's file."""

CLOCK = "TRACEPROOF_CLOCK"
"""`<seconds ahead>:<Unix time of the start>`; it stays for the processes that tests start."""

SWITCH = "TRACEPROOF_SWITCH"
"""Seconds between switches of Python's threads."""


class Job(object):
    """What was asked for, and what to report with."""

    def __init__(self, path: str, values: Dict[str, Any]) -> None:
        self._path = path
        self._values = values
        self.key: bytes = bytes.fromhex(values["key"])
        self.channel: str = values["channel"]
        self.root: str = values.get("root") or os.getcwd()
        self.seed: int = values["seed"]
        self.tests: Optional[list] = values.get("tests")  # type: ignore[type-arg]
        self.shuffle: str = values.get("shuffle", "")
        self.twice: str = values.get("twice", "")
        self.collect_only: bool = values.get("collect") == "only"
        self.fixed_random: bool = bool(values.get("fixed_random"))

    def put_back(self, key: bytes) -> None:
        """Leave the job for the next one, with a key, unless tests removed its folder."""
        values = dict(self._values, key=key.hex())
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return
        with os.fdopen(fd, "w") as file:
            json.dump(values, file)


def next_key(key: bytes) -> bytes:
    """Return the key of the one after the one with this key."""
    return hashlib.sha256(b"next" + key).digest()


def peek() -> Optional[Tuple[int, str]]:
    """Return the seed and the root of the job that is there to take; it is left there."""
    try:
        with open(os.environ.get(VARIABLE, "")) as file:
            values = json.load(file)
    except OSError:
        return None
    return int(values["seed"]), values.get("root") or os.getcwd()


def claim() -> Optional[Job]:
    """Take the job, if there is one to take; the variable goes either way."""
    path = os.environ.pop(VARIABLE, "")
    if not path:
        return None
    mine = "%s.%d" % (path, os.getpid())
    try:
        os.rename(path, mine)
    except OSError:  # another process has it: these are tests within tests
        return None
    with open(mine) as file:
        text = file.read()
    os.unlink(mine)
    return Job(path, json.loads(text))
