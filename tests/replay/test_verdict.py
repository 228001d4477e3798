from __future__ import annotations

import msgspec

from support.simulated import Suite, always, in_files, mended, verify, victim
from traceproof.replay.verdict import VERSION, Verdict


def test_a_verdict_is_the_same_after_json() -> None:
    tests = in_files(12, lambda _: always("passed"))
    names = list(tests)
    tests |= {names[1]: victim((names[8],)), names[2]: mended()}
    verdict, _ = verify(Suite(tests))

    text = msgspec.json.encode(verdict)

    assert msgspec.json.decode(text, type=Verdict) == verdict
    plain = msgspec.json.decode(text)
    assert (plain["class"], plain["outcome"], plain["verified"]) == ("steady", "resolved", True)
    assert plain["tests"][1]["class"] == "fragile"
    assert plain["traceproof_verdict"] == VERSION == 1
