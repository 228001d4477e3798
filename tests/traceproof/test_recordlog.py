from __future__ import annotations

import logging
from pathlib import Path

import pytest

from traceproof.recorder.redaction import Redactor
from traceproof.recordlog import open_log

KEY = "sk-ant-api03-fake-key-of-the-tests-0123456789"
log = logging.getLogger("traceproof.proxy.somewhere")


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add("ANTHROPIC_API_KEY", KEY)
    return redactor


def test_a_quiet_recording_leaves_no_log(tmp_path: Path, redactor: Redactor) -> None:
    opened = open_log(tmp_path / "x.log", redactor)
    log.info("nothing of note")
    opened.close()

    assert list(tmp_path.iterdir()) == []


def test_what_there_is_to_say_is_for_the_owner_alone_and_without_secrets(
    tmp_path: Path, redactor: Redactor
) -> None:
    opened = open_log(tmp_path / "x.log", redactor)
    log.error("it failed with %s", KEY, exc_info=ValueError(f"the key is {KEY}"))
    opened.close()

    written = (tmp_path / "x.log").read_text()
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600
    assert KEY not in written
    assert "it failed with <SECRET:ANTHROPIC_API_KEY>" in written
    assert "ValueError: the key is <SECRET:ANTHROPIC_API_KEY>" in written


def test_nothing_is_left_of_a_log_that_is_removed(tmp_path: Path, redactor: Redactor) -> None:
    opened = open_log(tmp_path / "x.log", redactor)
    log.error("it failed")
    opened.remove()
    opened.close()

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_on_the_terminal(
    tmp_path: Path, redactor: Redactor, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = open_log(tmp_path / "x.log", redactor)
    log.error("it failed")
    opened.close()

    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_made_is_done_without(
    tmp_path: Path, redactor: Redactor, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = open_log(tmp_path / "nosuch" / "x.log", redactor)
    log.error("it failed")
    opened.close()

    assert capfd.readouterr() == ("", "")


def test_a_log_on_a_full_disk_is_done_without(
    tmp_path: Path, redactor: Redactor, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.log").symlink_to("/dev/full")
    opened = open_log(tmp_path / "x.log", redactor)
    log.error("it failed")
    opened.close()

    assert capfd.readouterr() == ("", "")


def test_once_closed_it_takes_no_more(tmp_path: Path, redactor: Redactor) -> None:
    open_log(tmp_path / "x.log", redactor).close()
    log.error("too late")

    assert list(tmp_path.iterdir()) == []
