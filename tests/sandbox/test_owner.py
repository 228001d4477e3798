from __future__ import annotations

import os
import subprocess
import sys

import pytest

from traceproof.sandbox import owner

CHILD = "from traceproof.sandbox import owner; print(owner.me(), flush=True); input()"


def test_a_process_lives_until_it_ends() -> None:
    command = [sys.executable, "-P", "-c", CHILD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        other = owner.parse(child.stdout.readline().strip())
        assert other.pid == child.pid
        assert owner.gone(other) is False

        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert owner.gone(other) is True  # a zombie
    assert owner.gone(other) is True


def test_a_process_id_that_came_back_is_another_process() -> None:
    me = owner.me()

    assert owner.gone(me) is False
    assert owner.gone(me._replace(started=me.started - 1)) is True


def test_of_another_boot_or_namespace_nothing_is_known() -> None:
    me = owner.me()

    assert owner.gone(me._replace(boot="another")) is None
    assert owner.gone(me._replace(namespace="1")) is None


def test_a_label_is_read_as_it_was_written() -> None:
    assert owner.parse(str(owner.me())) == owner.me()
    for label in ("", "1:2", "a:b:c:d"):
        with pytest.raises(ValueError, match=r"unpack|invalid literal"):
            owner.parse(label)
