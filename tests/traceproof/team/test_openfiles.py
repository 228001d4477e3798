from __future__ import annotations

import subprocess
import sys

RAISED = """
import resource
from traceproof.team import openfiles

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 400))
before = openfiles.sessions()
openfiles.allow_many()
openfiles.allow_many()
print(before, openfiles.sessions(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_limit_is_raised_as_far_as_it_goes() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", RAISED], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["16", "100", "400", "400"]
