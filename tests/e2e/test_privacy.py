"""Secrets that a session shows in every way it can, and a search for them in all that is kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from support.secrets import found, hidden, joined, leaks, plain_of
from support.trace import spoken
from traceproof.proxy.testing import (
    Encode,
    Header,
    Say,
    Scene,
    Script,
    Think,
    Turn,
    Use,
    scenarios,
)

if TYPE_CHECKING:
    from support.stage import Stage
    from traceproof.proxy.testing.faults import AnyFault

pytestmark = pytest.mark.agents

KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-fake-Kx7Qm2Zp9Lr4-not-a-real-key-AA",
    "ANTHROPIC_AUTH_TOKEN": "fake-bearer.Tz8Wn3Vb6Hy1.of-some-gateway",
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-fake-Jd5Rt8Gk2Mw7-not-a-real-token-AA",
}
GITHUB_TOKEN = "ghp_fakeFakeFAKEfakeFakeFAKEfake0Zx9Yw8"
PASSWORD = 'pä/ss+w0rd "&=\\<fake>'
COOKIE = "fake-cookie-Xc4Vb7Nm1Lk9"
REMOTE_PASSWORD = "fake-remote-Qa2Ws5Ed8"
SHOW_ALL = """\
env; git remote -v; printf %s "$DATABASE_PASSWORD" | base64 -w0; echo
printf %s "user:$GITHUB_TOKEN" | base64 -w0; echo
python3 -c 'import json, os, urllib.parse as u; p = os.environ["DATABASE_PASSWORD"]
print(u.quote(p, safe=""), u.quote_plus(p), json.dumps(p), json.dumps({"in": json.dumps(p)}))'
"""


@pytest.mark.parametrize("faults", [[], [Encode("gzip")]], ids=["plain", "gzip"])
@pytest.mark.parametrize("variable", KEYS)
def test_no_secret_is_kept_and_the_agent_gets_them_all(
    stage: Stage, variable: str, faults: list[AnyFault]
) -> None:
    secrets = {
        variable: KEYS[variable],
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "DATABASE_PASSWORD": PASSWORD,
        "COOKIE_SESSION": COOKIE,
        "GIT_PASSWORD": REMOTE_PASSWORD,
    }
    del stage.env["ANTHROPIC_API_KEY"], stage.env["OPENAI_API_KEY"]
    stage.env |= {name: secrets[name] for name in (variable, "GITHUB_TOKEN", "DATABASE_PASSWORD")}
    remote = f"https://ada:{REMOTE_PASSWORD}@example.org/ada/adder.git"
    stage.run("git", "remote", "add", "origin", remote, check=True)
    said = " and ".join(secrets.values())
    script = scenarios.claude(
        Turn([scenarios.bash(SHOW_ALL, "Show all")]),
        Turn(
            [
                Think(f"I see {said}."),
                Say(f"You told me {said}!"),
                Use("Write", {"file_path": str(stage.workdir / "seen.txt"), "content": said}),
                scenarios.bash("cat seen.txt", "Read it"),
            ],
            faults=[*faults, Header("set-cookie", f"session={COOKIE}; Path=/; HttpOnly")],
            piece=3,
        ),
        Turn([Say(f"All of it: {said}.")], faults=faults, piece=5),
    )
    command = stage.claude(f"Show me what you see of {GITHUB_TOKEN}.")

    done = stage.record(script, *command, options=["--summary", "summary.json"])

    assert done.ended.returncode == 0
    assert done.result["result"] == f"All of it: {said}."
    assert (stage.workdir / "seen.txt").read_text() == said
    _, _, last = [call for call in done.model_calls if call.scene == "main"]
    assert found(last.request_body, secrets) == set(secrets)
    (answer,) = {joined(spoken(data)) for data in plain_of(last.response_body)} - {b""}
    assert found(answer, secrets) == set(secrets)

    assert done.differences(partial(hidden, secrets=secrets)) == []
    assert leaks(stage, done, secrets) == set()


def test_no_secret_of_an_aider_session_is_kept(stage: Stage) -> None:
    stage.env["GITHUB_TOKEN"] = GITHUB_TOKEN
    names = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN")
    secrets = {name: stage.env[name] for name in names}
    said = " and ".join(secrets.values())
    edit = "seen.txt\n```\n<<<<<<< SEARCH\n=======\n{}\n>>>>>>> REPLACE\n```\n"
    commit = scenarios.aider_hello().scenes[0]
    main = Scene([Turn([Say(edit.format(said))], piece=3), Turn([Say(f"I saw {said}.")], piece=4)])
    testing = ("--auto-test", "--test-cmd", "env; false")

    done = stage.record(
        Script([commit, main]), *stage.aider(*testing), options=["--summary", "summary.json"]
    )

    assert done.ended.returncode == 0
    assert (stage.workdir / "seen.txt").read_text() == f"{said}\n"
    last = done.model_calls[-1]
    assert found(last.request_body, secrets) == set(secrets)
    assert found(joined(spoken(last.response_body)), secrets) == set(secrets)
    assert done.differences(partial(hidden, secrets=secrets)) == []
    assert leaks(stage, done, secrets) == set()
