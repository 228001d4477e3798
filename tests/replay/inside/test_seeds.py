"""Seeds of all that is random; tests of whole sessions are in test_plugin.py."""

from __future__ import annotations

import subprocess
import sys

from traceproof.replay import inside

SHOW = """
import os, random, secrets, sys, uuid
sys.path.insert(0, {folder!r})
import seeds
fixed = seeds.Fixed(1)
def show():
    return (random.random(), os.urandom(3), os.urandom(0), uuid.uuid4().hex, secrets.token_hex(3),
            random.Random().random(), random.SystemRandom().random(), random.Random(5).random())
fixed.begin("a", 0); one = show()
fixed.begin("b", 0); two = show()
fixed.begin("a", 1); three = show()
fixed.begin("a", 0)
assert show() == one
for first, *others in zip(one[:2], two[:2], three[:2]):
    assert first not in others
assert one[7] == two[7] == random.Random(5).random()
print(one)
"""


def test_fixed_numbers_are_of_the_test_and_the_same_in_every_process() -> None:
    code = SHOW.format(folder=inside.__path__[0])

    told = {subprocess.check_output([sys.executable, "-B", "-c", code]) for _ in range(2)}

    assert len(told) == 1
