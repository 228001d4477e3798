"""Secrets that a session shows in every way it can, and a search for them in all that is kept.

The search is independent of the recorder: its own zstd, JSON and SSE reading, its own forms.
"""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
import zstandard

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
    from tests.e2e.conftest import Recorded, Stage
    from traceproof.proxy.testing.faults import AnyFault

pytestmark = pytest.mark.agents

Reading = Callable[[bytes], dict[str, str]]

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


def forms(value: str) -> Iterator[bytes]:
    """Yield what a value looks like where bytes of it could be kept."""
    plain = value.encode()
    yield from (plain, plain.hex().encode())
    level = [value]
    for _ in range(3):
        level = [
            json.dumps(text, ensure_ascii=pure)[1:-1] for text in level for pure in (False, True)
        ]
        yield from (text.encode() for text in level)
    yield from (form.encode() for form in (quote(value), quote(value, safe=""), quote_plus(value)))
    for before in range(3):
        start, end = -(-8 * before // 6), 8 * (before + len(plain)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + plain)[start:end]


def found(data: bytes, secrets: Mapping[str, str]) -> set[str]:
    """Name the secrets in some bytes."""
    return {name for name, value in secrets.items() if any(f in data for f in forms(value))}


def hidden(data: bytes, secrets: Mapping[str, str]) -> bytes:
    """Put masks where secrets are."""
    all_forms = {form: name for name, value in secrets.items() for form in forms(value)}
    for form in sorted(all_forms, key=len, reverse=True):
        data = data.replace(form, f"<SECRET:{all_forms[form]}>".encode())
    return data


def joined(texts: Mapping[str, str]) -> bytes:
    return "\n".join(texts.values()).encode()


def plain_of(data: bytes) -> Iterator[bytes]:
    """Yield bytes, and what they are once decompressed."""
    yield data
    if data[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    elif data[:2] == b"\x1f\x8b":
        yield zlib.decompressobj(31).decompress(data)


def strings(value: Any) -> Iterator[str]:
    """Yield every text in JSON, and the texts of JSON in it."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                yield from strings(json.loads(value))


def everything_in(file: Path) -> Iterator[bytes]:
    """Yield a file's bytes; of a trace, its lines, their texts, and its blobs decoded."""
    for data in plain_of(file.read_bytes()):
        yield data
    if file.suffix != ".zst":
        return
    for line in data.splitlines():
        document = json.loads(line)
        yield "\n".join(strings(document)).encode(errors="surrogatepass")
        for blob in document.get("traceproofBlobs", ()):
            if "base64" in blob:
                yield from plain_of(base64.b64decode(blob["base64"]))


def kept(done: Recorded, spoken: Reading) -> Iterator[tuple[str, bytes]]:
    """Yield all that a reader of the trace can get of the calls' bodies, streams joined."""
    for span in done.exchanges:
        for side in ("request", "response"):
            body, _ = done.body(span, side)
            for data in plain_of(body):
                yield f"{side} of {span.name}", data
                yield f"text of {span.name}", joined(spoken(data))


def printed(stage: Stage, done: Recorded, spoken: Reading) -> Iterator[tuple[str, bytes]]:
    """Yield what the commands say of the trace."""
    yield "record", done.ended.stderr
    commands: list[tuple[str, ...]] = [("show", "--full"), ("show", "--json"), ("ls", "--json")]
    commands += [("raw", "last", chat.span_id, "response") for chat in done.chats()]
    commands += [("raw", "last", done.chats()[1].span_id, "request")]
    for command in commands:
        ended = stage.traceproof(*command)
        assert ended.returncode == 0
        yield " ".join(command), ended.stdout + ended.stderr
        if "raw" in command:
            yield " ".join(command), joined(spoken(ended.stdout))


def leaks(
    stage: Stage, done: Recorded, secrets: Mapping[str, str], spoken: Reading
) -> set[tuple[str, str]]:
    """Return where secrets are: the place, and the secret's name."""
    places = [
        (str(file.relative_to(stage.store)), data)
        for file in stage.store.rglob("*")
        if file.is_file()
        for data in everything_in(file)
    ]
    places += [*kept(done, spoken), *printed(stage, done, spoken)]
    places.append(("summary", (stage.workdir / "summary.json").read_bytes()))
    return {(place, name) for place, data in places for name in found(data, secrets)}


@pytest.mark.parametrize("faults", [[], [Encode("gzip")]], ids=["plain", "gzip"])
@pytest.mark.parametrize("variable", KEYS)
def test_no_secret_is_kept_and_the_agent_gets_them_all(
    stage: Stage, variable: str, faults: list[AnyFault], spoken: Reading
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
    assert leaks(stage, done, secrets, spoken) == set()


def test_no_secret_of_an_aider_session_is_kept(stage: Stage, spoken: Reading) -> None:
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
    assert leaks(stage, done, secrets, spoken) == set()
