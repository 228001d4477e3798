from __future__ import annotations

import json

from support import verdicts
from traceproof.replay import plainjson


def test_it_is_indented_and_ends_with_a_line() -> None:
    assert plainjson.encode({"a": [1]}) == b'{\n  "a": [\n    1\n  ]\n}\n'


def test_bytes_that_were_no_text_do_not_stop_it() -> None:
    found = json.loads(plainjson.encode({"path\udcff": ["\udc80", "ü", 1]}))

    assert found == {"path?": ["?", "ü", 1]}


def test_nor_in_a_verdict() -> None:
    made = verdicts.verdict(reason="no \ud800")

    assert json.loads(plainjson.encode(made))["reason"] == "no ?"
