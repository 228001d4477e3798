from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Here = Callable[..., Any]


def states(checks: list[dict[str, str]]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in checks}


def test_where_all_is_well_it_says_so(cli: Here, project: Path) -> None:
    code, out, err = cli("doctor")

    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert ["ok", "store", f"{project}/.traceproof"] in lines
    assert {state for state, *_ in lines} <= {"ok", "note"}
    assert not (project / ".traceproof").exists()  # to look is not to make


def test_as_json_each_finding_has_a_name_a_state_and_a_detail(cli: Here) -> None:
    checks = cli("doctor", "--json").json

    found = states(checks)
    assert (found["python"], found["mitmproxy"], found["zstandard"]) == ("ok", "ok", "ok")
    assert all(check["detail"] for check in checks)


def test_a_store_that_cannot_be_is_missing_and_the_answer_is_no(cli: Here) -> None:
    done = cli("doctor", "--store", "/etc/passwd/store", "--json")

    assert (done.code, done.err) == (1, "")
    (store,) = [check for check in done.json if check["name"] == "store"]
    assert store["state"] == "missing"
    assert store["detail"] == "/etc/passwd/store: Not a directory"


def test_agents_on_the_path_are_named_with_their_versions(cli: Here, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aider").write_text("#!/bin/sh\n")
    (programs / "aider").chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"

    checks = cli("doctor", "--json", PATH=path).json

    (aider,) = [check for check in checks if check["name"] == "aider"]
    assert aider["state"] == "ok"
    assert str(programs / "aider") in aider["detail"]


def test_how_the_shells_of_each_agent_are_reached_is_said(cli: Here) -> None:
    checks = cli("doctor", "--json").json

    found = {check["name"]: check for check in checks if check["name"].startswith("shells of ")}
    assert {"shells of codex", "shells of claude-code", "shells of generic"} <= set(found)
    assert {check["detail"] for check in found.values()} == {"namespace"}


def test_what_is_not_reached_is_said_and_what_would_help(project: Path) -> None:
    powerless = ("setpriv", "--bounding-set=-sys_admin")
    command = [*powerless, sys.executable, "-P", "-m", "traceproof", "doctor", "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, check=True)

    found = {check["name"]: check for check in json.loads(done.stdout)}
    codex, opencode = found["shells of codex"], found["shells of opencode"]
    assert codex["state"] == "note"
    assert codex["detail"].startswith("not reached: all of them: ")
    assert "--cap-add SYS_ADMIN" in codex["mend"]
    assert (opencode["state"], opencode["detail"]) == ("ok", "SHELL")


@pytest.mark.parametrize(
    ("variables", "name", "detail"),
    [
        (
            {"HTTPS_PROXY": "http://user:hush@proxy.example:1"},
            "upstream proxy",
            "HTTPS_PROXY will be used for model calls",
        ),
        ({"SSL_CERT_FILE": "/nosuch.pem"}, "SSL_CERT_FILE", "/nosuch.pem is not a file"),
    ],
)
def test_what_stands_in_the_environment_is_told_without_passwords(
    cli: Here, variables: dict[str, str], name: str, detail: str
) -> None:
    done = cli("doctor", "--json", **variables)

    assert done.code == 0
    (check,) = [check for check in done.json if check["name"] == name]
    assert (check["state"], check["detail"]) == ("note", detail)
    assert "hush" not in done.out
