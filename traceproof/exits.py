"""Exit codes, the same for every command."""

NO = 1
"""It was done, and the answer is no."""

USAGE = 2
"""The usage or the input is wrong."""

ENVIRONMENT = 3
"""The environment failed: a disk, a port, a missing program; or a recording lost something."""

SIGNAL = 128
"""Added to the number of the signal that ended an agent."""
