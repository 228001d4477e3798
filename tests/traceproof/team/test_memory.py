from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os
from traceproof.team.memory import give_back_large_pieces

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

print(give_back_large_pieces())
before = resident()
for _ in range(3):
    pieces = [bytes([1]) * (1 << 20) for _ in range(64)]
    holes = pieces[::2]
    del pieces
    print(resident() - before < 48 << 20)
    del holes
print(resident() - before < 4 << 20)
"""


def test_what_is_free_goes_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"] * 5
