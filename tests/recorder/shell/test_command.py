from __future__ import annotations

import pytest

from traceproof.recorder.shell.command import CommandStart


def command(*args: str, executable: str = "/usr/bin/bash") -> CommandStart:
    return CommandStart("path", executable, args, "/srv", 1, 1)


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("bash -c RUN", "RUN"),
        ("bash -lc RUN", "RUN"),
        ("sh -ec RUN name argument", "RUN"),
        ("bash -euo pipefail -c RUN", "RUN"),
        ("bash -c -l RUN", "RUN"),
        ("bash -c -- RUN", "RUN"),
        ("bash -c - RUN", "RUN"),
        ("bash --norc --rcfile FILE -c RUN", "RUN"),
        ("bash +e -O extglob -c RUN", "RUN"),
        ("bash -o errexit -c RUN", "RUN"),
        ("bash", ""),
        ("bash -c", ""),
        ("bash -i", ""),
        ("bash script.sh -c RUN", ""),
        ("bash -- -c", ""),
        ("bash +c RUN", ""),
    ],
)
def test_the_script_is_what_a_shell_takes_for_it(line: str, script: str) -> None:
    assert command(*line.split()).script == script


def test_a_login_shell_s_name_is_that_of_its_file() -> None:
    assert command("-bash", "-c", "RUN").name == "bash"
    assert command("-bash", "-c", "RUN").script == "RUN"


def test_an_executable_without_a_path_has_a_name_too() -> None:
    assert command(executable="/").name == "/"
    assert command(executable="sh").name == "sh"
