from __future__ import annotations

import docker.errors
import pytest
import requests

from traceproof.sandbox.docker.client import failures, first_line
from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError, SandboxUnavailable


def refusal(status: int, said: str) -> docker.errors.APIError:
    answer = requests.Response()
    answer.status_code = status
    return docker.errors.APIError("refused", response=answer, explanation=said)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal(500, "write /x: no space left on device"), OutOfRoom),
        (refusal(500, "fork/exec runc: resource temporarily unavailable"), OutOfRoom),
        (refusal(404, "No such image: x:latest"), ImageFailed),
        (refusal(404, "No such container: x"), SandboxError),
        (refusal(500, "something else"), SandboxError),
        (docker.errors.DockerException("no"), SandboxUnavailable),
        (requests.ConnectionError("refused"), SandboxUnavailable),
        (requests.ReadTimeout("60 s"), SandboxUnavailable),
        (BrokenPipeError("gone"), SandboxUnavailable),
        (OutOfRoom("ours stays"), OutOfRoom),
    ],
)
def test_errors_are_told_apart(error: Exception, kind: type[SandboxError]) -> None:
    with pytest.raises(SandboxError) as raised, failures("make a box"):
        raise error

    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)


def test_what_the_system_said_is_told_not_how_it_was_wrapped() -> None:
    def connect() -> None:
        try:
            raise FileNotFoundError(2, "No such file or directory")
        except OSError as error:
            raise requests.ConnectionError(
                "('Connection aborted.', FileNotFoundError())"
            ) from error

    said = "cannot make a box: No such file or directory;"
    with pytest.raises(SandboxUnavailable, match=said), failures("make a box"):
        connect()


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), failures("make a box"):
        raise ZeroDivisionError


def test_a_line_is_the_first_that_says_something() -> None:
    assert first_line("\n  \n one \n two") == "one"
    assert first_line("") == "no reason given"
    assert len(first_line("x" * 1000)) == 300
