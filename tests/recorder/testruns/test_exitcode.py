from __future__ import annotations

import pytest

from traceproof.recorder.testruns.cases import Verdict
from traceproof.recorder.testruns.exitcode import told
from traceproof.recorder.testruns.runners import find
from traceproof.recorder.testruns.words import parse

YES, NO, NOTHING = Verdict.SUCCESS, Verdict.FAILURE, None


@pytest.mark.parametrize(
    ("text", "at_zero", "at_one"),
    [
        ("pytest", YES, NO),
        ("cd x && pytest", YES, NO),
        ("export A=1; pytest", YES, NO),
        ("make; pytest", YES, NO),
        ("make && pytest", YES, NOTHING),
        ("pytest && echo ok", YES, NO),
        ("pytest && make", YES, NOTHING),
        ("pytest | tail", NOTHING, NOTHING),
        ("pytest 2>&1 | tee log | tail -3", NOTHING, NOTHING),
        ("set -o pipefail; pytest | tail", YES, NOTHING),
        ("set -euo pipefail && pytest | tee log", YES, NOTHING),
        ("yes | pytest", YES, NO),
        ("pytest; echo $?", NOTHING, NOTHING),
        ("pytest || true", NOTHING, NO),
        ("pytest || make", NOTHING, NO),
        ("! pytest", NOTHING, NOTHING),
        ("pytest &", NOTHING, NOTHING),
        ("pytest & wait", NOTHING, NOTHING),
        ("(cd x && pytest)", YES, NO),
        ("(pytest) | tail", NOTHING, NOTHING),
        ("(pytest | tail) && echo ok", NOTHING, NOTHING),
        ("bash -c 'cd a && pytest'", YES, NO),
        ("bash -c 'pytest | tail'", NOTHING, NOTHING),
        ("eval 'pytest -x' < /dev/null && pwd -P >| /tmp/cwd", YES, NO),
        ("OUT=$(pytest); echo $OUT", NOTHING, NOTHING),
        ("if pytest; then echo; fi", NOTHING, NOTHING),
        ("for x in 1 2; do pytest; done", NOTHING, NOTHING),
    ],
)
def test_what_an_exit_code_says(text: str, at_zero: Verdict | None, at_one: Verdict | None) -> None:
    script = parse(text)
    target = find(script)[0].command

    assert (told(script, target, 0), told(script, target, 1)) == (at_zero, at_one)


def test_a_signal_aborts() -> None:
    script = parse("pytest")

    assert told(script, find(script)[0].command, None) is Verdict.ABORTED


def test_a_timeout_is_told_by_its_code() -> None:
    script = parse("timeout 5 pytest")

    assert told(script, find(script)[0].command, 124, timed=True) is Verdict.TIMED_OUT
