"""What the scripted model of the demonstration says."""

from __future__ import annotations

from traceproof.proxy.testing import Say, Script, Think, Turn, Usage, Use

PROMPT = "The tests fail. Find out why, fix it, and show that they pass."

_TEST = "python3 -m unittest -q"
_OLD = "merged[-1] = (merged[-1][0], end)"
_NEW = "merged[-1] = (merged[-1][0], max(merged[-1][1], end))"


def script() -> Script:
    """Return the turns: look, understand, mend, check."""
    return Script.of(
        [
            Turn(
                [Say("I'll run the tests first."), Use("bash", {"command": _TEST})],
                usage=Usage(input=612, cache_creation=480),
            ),
            Turn(
                [
                    Say("Two tests fail, both about an interval within another. Let me look."),
                    Use("read_file", {"path": "intervals.py"}),
                    Use("bash", {"command": "git log --oneline -3"}),
                ],
                usage=Usage(input=340, cache_read=1092),
            ),
            Turn(
                [
                    Think("A later, shorter interval overwrites the end of a longer one."),
                    Say("`merge` takes the end of the later interval even where it is earlier."),
                    Use("edit_file", {"path": "intervals.py", "old": _OLD, "new": _NEW}),
                ],
                usage=Usage(input=415, cache_read=1432),
            ),
            Turn([Use("bash", {"command": _TEST})], usage=Usage(input=120, cache_read=1847)),
            Turn(
                [Say("Fixed: `merge` now keeps the later of the two ends, and all tests pass.")],
                usage=Usage(input=98, cache_read=1967),
            ),
        ]
    )
