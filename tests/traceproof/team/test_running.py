"""The proxy as a process: signals, what it prints, and the other commands beside it."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.team import HOST, TRACEPROOF, TeamProxy, page
from traceproof.proxy.testing import Hold, Say, ScriptedModel, Turn
from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader


@pytest.fixture
def held() -> Iterator[ScriptedModel]:
    """A model whose answers stand still after some chunks."""
    with ScriptedModel(lambda _: Turn([Say("word " * 40)], faults=[Hold(4)])) as model:
        yield model


@pytest.fixture
def start(
    tmp_path: Path, agent_env: Callable[[Path], dict[str, str]]
) -> Iterator[Callable[..., TeamProxy]]:
    """Start a proxy whose calls go to a model."""
    with ExitStack() as started:

        def start(model: ScriptedModel, *options: str) -> TeamProxy:
            route = ("--route", f"{HOST}={model.url}")
            return started.enter_context(TeamProxy(agent_env(tmp_path), tmp_path, *route, *options))

        yield start


def cli(proxy: TeamProxy, *arguments: str) -> Any:
    done = subprocess.run(
        [*TRACEPROOF, *arguments, "--json", "--store", str(proxy.store)],
        capture_output=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_sigterm_lets_a_stream_end_and_exits_with_0(start: Any, held: ScriptedModel) -> None:
    proxy = start(held)
    with proxy.agent() as agent:
        agent.send("go on", session="s1")
        held.wait_held()
        response = agent.begin()
        proxy.signal(signal.SIGTERM)
        while True:  # until nobody listens any more: then it drains
            try:
                page(proxy.port, "/healthz")
            except OSError:
                break
        held.release()
        body = response.read()

    assert proxy.wait() == 0
    assert body == held.calls[0].response_body
    assert proxy.errors[-1].startswith(
        "traceproof: 1 calls in 1 sessions recorded, 0 spans lost; stopped after "
    )
    (path,) = (proxy.store / "traces").iterdir()
    with TraceReader.open(path) as reader:
        assert reader.closed_properly
        states = [
            record.span.attributes.get(semconv.CALL_STATE, "complete")
            for record in reader.records()
        ]
    assert states == ["complete"] * 2
    assert list((proxy.store / "control").iterdir()) == []


def test_a_second_signal_ends_it_at_once_and_the_files_are_closed(
    start: Any, held: ScriptedModel
) -> None:
    proxy = start(held, "--grace", "600")
    with proxy.agent() as agent:
        agent.send("go on", session="s1")
        held.wait_held()
        agent.begin()
        proxy.signal(signal.SIGINT)
        while True:
            try:
                page(proxy.port, "/healthz")
            except OSError:
                break
        assert proxy.process.poll() is None
        proxy.signal(signal.SIGINT)

        assert proxy.wait() == 0
    assert "1 calls were cut off" in proxy.errors[-1]
    (path,) = (proxy.store / "traces").iterdir()
    with TraceReader.open(path) as reader:
        assert reader.closed_properly


def test_the_store_can_be_looked_at_while_it_runs(start: Any, held: ScriptedModel) -> None:
    proxy = start(held)
    with proxy.agent("ada") as agent:
        agent.send("go on", session="s1")
        held.wait_held()
        agent.begin()
        while True:  # until the call is on disk
            code, listed = cli(proxy, "ls")
            if listed and listed[0]["calls"]:
                break
        assert (code, [(row["agent"], row["pending"]) for row in listed]) == (
            0,
            [("claude-code", True)],
        )
        code, shown = cli(proxy, "show")
        assert code == 0
        assert "go on" in json.dumps(shown)
        assert cli(proxy, "doctor")[0] == 0
        held.release()


def test_the_document_says_how_to_reach_it(start: Any, held: ScriptedModel) -> None:
    proxy = start(held)
    told = proxy.document

    assert told["url"] == f"http://127.0.0.1:{proxy.port}"
    assert told["variables"]["HTTPS_PROXY"] == told["url"]
    extra = Path(told["variables"]["NODE_EXTRA_CA_CERTS"]).read_text()
    assert extra.strip() == proxy.certificate.strip()
    assert page(proxy.port, "/ca.pem").body.decode() == proxy.certificate
    assert (told["mode"], told["users"], told["fetch"]) == ("forward", [], {})
    assert told["pages"]["healthz"] == f"{told['url']}/healthz"
    assert len(told["ca_sha256"].split(":")) == 32


def test_it_may_open_as_many_files_as_there_is_a_right_to(start: Any, held: ScriptedModel) -> None:
    proxy = start(held)
    soft, hard = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)

    assert soft >= min(hard, 65_536) or hard == resource.RLIM_INFINITY


def test_base_urls_name_the_address_that_others_use(start: Any, held: ScriptedModel) -> None:
    proxy = start(held, "--mode", "reverse", "--address", "[fd00::1]:9000")

    url = proxy.document["variables"]["ANTHROPIC_BASE_URL"]
    assert re.fullmatch(r"http://\[fd00::1\]:\d+", url)
    ports = {listener.rpartition(":")[2] for listener in proxy.document["listen"]}
    assert url.rpartition(":")[2] in ports
