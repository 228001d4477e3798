from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from support import verdicts
from traceproof.replay import verdictfile
from traceproof.replay.verdict import Verdict


def read(path: Path, content: bytes) -> Verdict:
    path.write_bytes(content)
    return verdictfile.read(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.verdict.json"


def test_what_is_written_is_read(path: Path) -> None:
    made = verdicts.verdict()

    verdictfile.write(path, made)

    assert verdictfile.read(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_answer_is_always_in_it(path: Path) -> None:
    verdictfile.write(path, verdicts.verdict(verified=False, class_="flaky", outcome=None))

    told = json.loads(path.read_bytes())

    assert told["traceproof_verdict"] == 1
    assert (told["class"], told["outcome"], told["verified"]) == ("flaky", None, False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "truncated"),
        (b"\x00\xff\xfe", "damaged"),
        (b"[]", "Expected `object`"),
        (b"{}", "traceproof_verdict"),
        (b'{"traceproof_verdict": 1}', "missing required field"),
        (b'{"traceproof_verdict": "1"}', "Expected `int`"),
        (b'{"traceproof_verdict": 1, "class": "great"}', "Invalid enum value 'great'"),
        (b'{"traceproof_verdict": 1, "x": ' + b"[" * 100_000, "recursion"),
        (b'{"traceproof_verdict": 1, "seed": 1e999}', "range"),
        (b'{"traceproof_verdict": 2}', "written by a newer traceproof; update this one"),
    ],
)
def test_what_is_none_is_told_in_one_line(path: Path, content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        read(path, content)

    assert str(path) in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_any_cut_of_a_verdict_is_told_apart(path: Path) -> None:
    verdictfile.write(path, verdicts.verdict())
    whole = path.read_bytes().rstrip()

    for length in range(0, len(whole), 211):
        with pytest.raises(ValueError, match="no verdict, or a damaged one"):
            read(path, whole[:length])


def test_what_it_says_cannot_write_to_the_terminal(path: Path) -> None:
    with pytest.raises(ValueError, match="great") as error:
        read(path, b'{"traceproof_verdict": 1, "class": "great\\u001b[2J\\n\\u202e"}')

    assert str(error.value).isprintable()


def test_one_that_contradicts_itself_is_not_believed(path: Path) -> None:
    flaky = verdicts.random_one("a")
    cases = [
        (verdicts.verdict(class_="flaky"), "verified, but flaky and resolved"),
        (verdicts.verdict(outcome="regressed"), "verified, but steady and regressed"),
        (verdicts.verdict(flaky, flaky), "listed twice"),
        (verdicts.verdict(fail_to_pass=("t\x1b",)), r"t\? is in a list, but not among the tests"),
        (verdicts.verdict(flaky, fail_to_pass=("a",)), "a is taken out, and counted"),
        (verdicts.verdict(verdicts.steady("a", flips=60)), "do not fit together"),
    ]
    for made, says in cases:
        verdictfile.write(path, made)

        with pytest.raises(ValueError, match=f"contradicts itself: .*{says}"):
            verdictfile.read(path)


def test_its_runs_are_beside_it_and_nowhere_else(path: Path) -> None:
    verdictfile.write(path, verdicts.verdict())
    made = json.loads(path.read_bytes())
    made["subject"]["runs_file"] = "../../etc/passwd"

    with pytest.raises(ValueError, match="not beside it"):
        read(path, json.dumps(made).encode())


def test_a_field_of_a_later_day_is_passed_over(path: Path) -> None:
    verdictfile.write(path, verdicts.verdict())
    made = json.loads(path.read_bytes()) | {"new": 1}

    assert read(path, json.dumps(made).encode()) == verdicts.verdict()


def test_what_is_no_file_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)

    with pytest.raises(ValueError, match="not a file"):
        verdictfile.read(path)


def test_what_is_far_too_large_is_not_read(path: Path) -> None:
    path.touch()
    os.truncate(path, verdictfile.MOST + 1)

    with pytest.raises(ValueError, match="larger than 256 MiB"):
        verdictfile.read(path)
