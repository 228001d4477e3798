"""Where things are in a box, and who is who: what an image must hold, and what a box adds to it.

An image holds `sh`, `tar`, `timeout`, `env`, `find`, `sort`, `shuf` and `head` (Debian's essential
packages do), the users `WORK` and `GRADE`, and under `STASH` the workspace as it is at first, owned
by `WORK`. Whoever builds it makes the folders above the workspace such that all may enter them.
Everything else here is an empty folder in memory that comes with the box.
"""

from __future__ import annotations

WORK = 1000
"""User and group of the code under test; `work` in the image's `/etc/passwd`, home `HOME`."""

GRADE = 1001
"""User and group that own what this code must not change; `grade` in `/etc/passwd`."""

UIDS = {"work": WORK, "grade": GRADE}

STASH = "/opt/traceproof/source"
"""Where an image keeps what a box's workspace is filled from; readable by `WORK`."""

HOME = "/home/work"
"""Empty in every box, whatever the image has there."""

OURS = "/traceproof"
PRIVATE = f"{OURS}/private"
CHANNEL = f"{OURS}/channel"

HOSTNAME = "box"
"""The same in every box: a test that prints it is no flaky one."""

LABEL = "traceproof"
"""On all that is made with an engine: `traceproof=1`."""

OWNER_LABEL = "traceproof.owner"
"""Which process made it: see `owner`."""
