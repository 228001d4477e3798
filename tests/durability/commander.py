"""An agent for the tests that runs shell commands and nothing else: one for each line on stdin.

A line is JSON: `script`, and `times` (1) to run that many at once. What came of each is a line of
JSON, in the order in which they ended. It prints its process id first, and ends when stdin does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any


def main() -> None:
    tell({"pid": os.getpid()})
    for line in sys.stdin:
        wanted = json.loads(line)
        times = wanted.get("times", 1)
        with ThreadPoolExecutor(times) as threads:
            started = [threads.submit(run, wanted["script"]) for _ in range(times)]
            for done in as_completed(started):
                tell(done.result())


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - it is a program


def run(script: str) -> dict[str, Any]:
    done = subprocess.run(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return {
        "code": done.returncode,
        "stdout": done.stdout.decode(errors="backslashreplace"),
        "stderr": done.stderr.decode(errors="backslashreplace"),
    }


if __name__ == "__main__":
    main()
