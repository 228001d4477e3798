"""Every agent at work at once through one shared proxy, for two users with tokens."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from support.agents import aider, claude, codex, gemini, mini, opencode
from support.offline import Offline
from support.stage import HOSTS, TRACEPROOF, Stage
from support.team import TeamProxy
from support.variant import HELLO, PROGRAM, PROMPT, TOKEN, Variant
from traceproof.proxy.testing import Request, Scene, Script, ScriptedModel
from traceproof.recorder import semconv
from traceproof.recorder.agents import recognise_call
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Span

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300)]  # six agents work in the fixture

AGENTS = [each.VARIANTS[0] for each in (claude, aider, codex, opencode, gemini, mini)]
EXACT = {"claude-code", "codex", "opencode"}
TOLD = EXACT | {"gemini-cli"}
"""Agents whose calls tell whose they are."""

UNTOLD = "generic"
AT_ONCE = 3
LIMIT = 100


class Done(NamedTuple):
    """One agent's work."""

    variant: Variant
    user: str
    stage: Stage
    ended: subprocess.CompletedProcess[bytes]


class Team(NamedTuple):
    """What all of them left: the main model calls by variant, and the traces."""

    done: list[Done]
    calls: dict[str, int]
    traces: dict[Path, list[Span]]
    tokens: dict[str, str]


def mark(variant: Variant) -> str:
    return f"({variant.name})"


def meant(variant: Variant) -> Callable[[Request], bool]:
    return lambda request: mark(variant) in request.text


def both(variant: Variant, when: Callable[[Request], bool]) -> Callable[[Request], bool]:
    """Keep a side call's matcher to its own agent: others have calls without tools too."""

    def matches(request: Request) -> bool:
        headers = {name.lower(): value for name, value in request.headers}
        told = variant.agent if variant.agent in TOLD else UNTOLD
        return recognise_call(headers).name == told and when(request)

    return matches


def plain(path: Path) -> bytes:
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()


@pytest.fixture(scope="module")
def team(
    tmp_path_factory: pytest.TempPathFactory,
    agent_env: Callable[[Path], dict[str, str]],
    agent: Callable[[str], Path],
) -> Team:
    """Have every agent do its work, half of them for each user."""
    folder = tmp_path_factory.mktemp("team")
    env = agent_env(folder)
    tokens = {name: add_user(env, folder, name) for name in ("ada", "bob")}
    stages = []
    for variant in AGENTS:
        place = folder / variant.name
        place.mkdir()
        stages.append(Stage(place, agent_env(place), agent))
    scenes = [
        Scene(variant.turns(stage), meant(variant), variant.name)
        for variant, stage in zip(AGENTS, stages, strict=True)
    ]
    side = [
        replace(scene, when=both(variant, scene.when))
        for variant in AGENTS
        for scene in variant.side
    ]
    with Offline() as offline, ScriptedModel(Script([*side, *scenes])) as model:
        routes = [option for host in HOSTS for option in ("--route", f"{host}={model.url}")]
        with TeamProxy(env | offline.variables, folder, *routes) as proxy:

            def work(number: int) -> Done:
                variant, stage = AGENTS[number], stages[number]
                user = ("ada", "bob")[number % 2]
                label = "" if variant.agent in EXACT else f"+{variant.agent}"
                variables = {
                    name: value.replace("NAME:TOKEN", f"{user}{label}:{tokens[user]}")
                    for name, value in proxy.document["variables"].items()
                }
                (stage.workdir / ".git" / "token").write_text(TOKEN)
                stage.env |= {"GITHUB_TOKEN": TOKEN, **variant.env, **variables}
                variant.prepare(stage)
                ended = subprocess.run(
                    [*variant.command(stage, f"{PROMPT} {mark(variant)}")],
                    cwd=stage.workdir,
                    env=stage.env,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=LIMIT,
                    check=False,
                )
                return Done(variant, user, stage, ended)

            with ThreadPoolExecutor(AT_ONCE) as threads:
                done = list(threads.map(work, range(len(AGENTS))))
            proxy.signal(signal.SIGTERM)
            assert proxy.wait() == 0, proxy.errors
        calls: dict[str, int] = {}
        for call in model.model_calls:
            calls[call.scene] = calls.get(call.scene, 0) + 1
    return Team(done, calls, read(proxy.store), tokens)


def add_user(env: dict[str, str], folder: Path, name: str) -> str:
    command = [*TRACEPROOF, "proxy", "users", "add", name, "--json"]
    command += ["--store", str(folder / "store")]
    told = json.loads(subprocess.check_output(command, env=env, cwd=folder))
    token: str = told["token"]
    return token


def read(store: Path) -> dict[Path, list[Span]]:
    traces = {}
    for path in sorted((store / "traces").glob("*.zst")):
        with TraceReader.open(path) as reader:
            spans = [record.span for record in reader.records(inline=True)]
            assert (reader.closed_properly, reader.problems) == (True, [])
        traces[path] = sorted(spans, key=lambda span: (bool(span.parent_id), span.start))
    return traces


@pytest.fixture(params=range(len(AGENTS)), ids=[variant.name for variant in AGENTS])
def one(request: pytest.FixtureRequest, team: Team) -> Done:
    return team.done[request.param]


def of(team: Team, one: Done) -> list[list[Span]]:
    """Return the traces of one agent's model calls."""
    return [
        spans
        for spans in team.traces.values()
        if spans[0].attributes[semconv.AGENT_NAME] == one.variant.agent
        and spans[0].attributes[semconv.SESSION_JOIN] != "other"
    ]


def test_an_agent_works_as_without_a_proxy(one: Done) -> None:
    assert one.ended.returncode == 0, one.ended.stderr.decode()
    assert (one.stage.workdir / HELLO).read_text() == PROGRAM


def test_its_calls_are_in_one_trace_of_its_user_alone(team: Team, one: Done) -> None:
    (spans,) = of(team, one)
    root = spans[0].attributes
    join = "exact" if one.variant.agent in EXACT else "user"
    assert (root[semconv.USER_NAME], root[semconv.SESSION_JOIN]) == (one.user, join)
    chats: list[Any] = [
        span for span in spans if span.attributes.get(semconv.OPERATION_NAME) == "chat"
    ]
    asked = [span for span in chats if mark(one.variant) in str(span.attributes)]
    main = [span for span in asked if span.attributes[semconv.CALL_PURPOSE] == "main"]
    assert (len(main), one.variant.name) == (team.calls.get(one.variant.name), one.variant.name), (
        team.calls
    )
    others = [mark(variant) for variant in AGENTS if variant is not one.variant]
    assert [other for other in others if other in str(spans)] == []


def test_no_token_and_no_secret_of_a_call_is_on_the_disk(team: Team) -> None:
    secrets = [*team.tokens.values()]
    secrets += [done.stage.env[done.variant.key] for done in team.done]
    for path in team.traces:
        content = plain(path)
        assert [secret for secret in secrets if secret.encode() in content] == []
