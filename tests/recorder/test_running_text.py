from __future__ import annotations

from traceproof.recorder.redaction import Redactor
from traceproof.recorder.running_text import RunningText

KEY = "sk-ant-api03-Zx9_qW3e-fake"


def running() -> RunningText:
    redactor = Redactor()
    redactor.add("KEY", KEY)
    return RunningText(redactor)


def test_a_secret_is_known_once_it_is_whole() -> None:
    text = running()

    assert text.append(b"the key " + KEY[:4].encode()) == (0, 12)
    assert (text.settled, text.length, text.secrets) == (8, 12, [])
    assert text.append(KEY[4:].encode() + b"!") == (12, 35)
    assert [(secret.start, secret.end, secret.name) for secret in text.secrets] == [(8, 34, "KEY")]
    assert text.settled == text.length == 35


def test_closing_settles_what_is_left() -> None:
    text = running()
    text.append(b"sk-")

    text.close()

    assert text.settled == text.length == 3
    assert text.secrets == []


def test_a_stretch_knows_the_secrets_it_has_a_part_of_until_they_are_forgotten() -> None:
    text = running()
    text.append(f"{KEY} {KEY}".encode())

    assert [secret.start for secret in text.within(0, 26)] == [0]
    assert [secret.start for secret in text.within(20, 30)] == [0, 27]
    assert text.within(26, 27) == []
    text.forget(26)
    assert [secret.start for secret in text.secrets] == [27]


def test_memory_is_bounded_by_what_is_not_settled() -> None:
    text = running()

    for _ in range(100):
        text.append(b"ordinary words, ")

    assert text.length == 1600
    assert len(text._buffer) <= 16


def test_a_text_is_clear_once_it_is_known_to_hold_no_secret() -> None:
    text = running()
    text.append(b"harmless sk-")
    begun = text.clear
    text.append(b"no key")
    known = text.clear
    text.append(KEY.encode() + b"!")

    assert (begun, known, text.clear) == (False, True, False)
