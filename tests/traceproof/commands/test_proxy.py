from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceproof.proxy.team.users import UserFile

Here = Callable[..., Any]


def test_a_user_gets_a_token_once_in_lines_to_paste(here: Here, project: Path) -> None:
    done = here("proxy", "users", "add", "ada", "--address", "build-1:8080")

    file = project / ".traceproof" / "users.json"
    (proxy,) = [line for line in done.out.splitlines() if line.startswith("export HTTPS_PROXY=")]
    token = proxy.partition("ada:")[2].partition("@")[0]
    assert (done.code, proxy) == (0, f"export HTTPS_PROXY=http://ada:{token}@build-1:8080")
    assert UserFile(file).reload().owner(token) == "ada"
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert done.err == (
        f"traceproof: ada was added to {file}; the token is not kept: it is shown this once\n"
    )
    assert done.out.startswith('mkdir -p "$HOME/.traceproof"\ncurl -fsS --noproxy "*" http://')


def test_without_an_address_it_says_what_stands_for_it(here: Here) -> None:
    done = here("proxy", "users", "add", "ada")

    assert "@PROXY:8080" in done.out
    assert done.err.splitlines()[1].startswith("traceproof: PROXY:8080 stands for")


def test_json(here: Here) -> None:
    told = here("proxy", "users", "add", "ada", "--json").json
    assert sorted(told) == ["fetch", "name", "token", "variables"]
    (listed,) = here("proxy", "users", "ls", "--json").json
    assert listed["name"] == "ada"
    assert "token" not in str(listed)


def test_users_are_listed_and_removed(here: Here, tmp_path: Path) -> None:
    named = ("--users", str(tmp_path / "team.json"))
    for name in ("ada", "bob"):
        assert here("proxy", "users", "add", name, *named).code == 0
    assert here("proxy", "users", "remove", "ada", *named) == (0, "", "")

    assert here("proxy", "users", "ls", *named).out.split("\t")[0] == "bob"
    done = here("proxy", "users", "remove", "ada", *named)
    assert (done.code, done.err) == (
        2,
        f"traceproof: there is no user ada in {tmp_path / 'team.json'}\n",
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--listen", "8080"], "--listen takes HOST:PORT, 127.0.0.1:8080 for instance, not '8080'"),
        (["--address", "x"], "--address takes HOST:PORT, 127.0.0.1:8080 for instance, not 'x'"),
        (["--quota", "much"], "a size is a number and a unit, such as 20GB or 512MiB, not 'much'"),
        (["--route", "x"], "--route takes HOST=URL, not 'x'"),
        (
            ["--listen", "0.0.0.0:0"],
            (
                "--listen 0.0.0.0:0 is reached from other machines, so every user needs a token: "
                "make one with `traceproof proxy users add NAME`"
            ),
        ),
    ],
)
def test_what_is_wrong_is_one_clear_line(here: Here, options: list[str], line: str) -> None:
    assert here("proxy", *options) == (2, "", f"traceproof: {line}\n")


def test_a_file_of_users_that_is_none_stops_it(here: Here, tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text(json.dumps({"users": [1]}))
    done = here("proxy", "--users", str(tmp_path / "users.json"))

    assert done.code == 2
    assert "is no file of users" in done.err


def test_users_alone_shows_what_can_be_done_with_them(here: Here) -> None:
    done = here("proxy", "users")
    assert done.code in {0, 2}
    assert "add" in done.out + done.err
