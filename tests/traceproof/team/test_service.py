"""The proxy of a team over real sockets: two users, several agents, and what goes wrong."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.team import CLAUDE, HOST, OPENAI, OPENCODE, Agent, Answer, figures, page
from traceproof.proxy.team.room import LAG_SECONDS
from traceproof.proxy.team.users import UserFile
from traceproof.proxy.testing import Cut, Hold, Say, ScriptedModel, Status, Turn
from traceproof.recorder import semconv
from traceproof.recorder.store import Store
from traceproof.team import service
from traceproof.team.service import Ended, Team
from traceproof.team.settings import Address, TeamSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from traceproof.proxy.testing import Request
    from traceproof.recorder.span import Span


def echo(request: Request) -> Turn:
    """Answer with what was asked."""
    return Turn([Say(f"You said: {request.last}")])


class Running:
    """A proxy in this process, and what it said."""

    def __init__(self, settings: TeamSettings) -> None:
        self.said: list[str] = []
        self.store = settings.store
        self.team = Team(settings, self.said.append)
        listening = self.team.start()
        self.listening = listening
        self.port = int(listening.url.rpartition(":")[2])
        self.certificate = page(self.port, "/ca.pem").body.decode()
        self.ended: Ended | None = None

    def agent(self, user: str = "") -> Agent:
        return Agent(self.port, self.certificate, user)

    def ask(self, *texts: str, user: str = "", **more: Any) -> Answer:
        with self.agent(user) as agent:
            return agent.ask(*texts, **more)

    def figures(self) -> dict[str, float]:
        return figures(self.port)

    def until(self, name: str, value: float) -> None:
        """Wait until a figure has a value: the page is the only one who tells."""
        end = time.monotonic() + 10
        while self.figures()[name] != value:
            assert time.monotonic() < end, (name, self.figures()[name])
            time.sleep(0.01)

    def stop(self) -> Ended:
        if self.ended is None:
            self.team.drain()
            self.ended = self.team.close()
        return self.ended


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(echo) as model:
        yield model


@pytest.fixture
def start(tmp_path: Path, model: ScriptedModel) -> Iterator[Callable[..., Running]]:
    """Start a proxy whose calls go to the model; it is stopped after the test."""
    started: list[Running] = []

    def start(url: str = "", **settings: Any) -> Running:
        fields = {
            "listen": Address("127.0.0.1", 0),
            "store": Store(tmp_path / "store"),
            "environment": {},
            "routes": (f"{HOST}={url or model.url}",),
            "grace": 0.0,
            **settings,
        }
        started.append(Running(TeamSettings(**fields)))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def users(tmp_path: Path) -> dict[str, str]:
    """Two users and their tokens."""
    file = UserFile(tmp_path / "users.json")
    return {name: file.add(name) for name in ("ada", "bob")}


def traces(running: Running) -> dict[tuple[str, str, str], list[Span]]:
    """Return the spans of each trace, by user, agent and conversation."""
    from traceproof.recorder.reader import TraceReader  # noqa: PLC0415

    found = {}
    for path in running.store.paths():
        with TraceReader.open(path) as reader:
            spans = sorted(
                (record.span for record in reader.records(inline=True)),
                key=lambda span: (bool(span.parent_id), span.start),
            )
            assert (reader.closed_properly, reader.problems) == (True, [])
        facts = spans[0].attributes
        names = (semconv.USER_NAME, semconv.AGENT_NAME, semconv.CONVERSATION_ID)
        user, agent, conversation = (str(facts.get(name, "")) for name in names)
        found[user, agent, conversation] = spans
    return found


def asked(spans: Sequence[Span]) -> list[str]:
    """Return the last words of each call's request."""
    messages = [
        json.loads(str(span.attributes[semconv.INPUT_MESSAGES]))
        for span in spans
        if semconv.INPUT_MESSAGES in span.attributes
    ]
    return [each[-1]["parts"][0]["content"] for each in messages]


# --- who may ----------------------------------------------------------------------------------


def test_beyond_this_machine_nobody_gets_in_without_a_token(
    start: Any, tmp_path: Path, users: dict[str, str], model: ScriptedModel
) -> None:
    running = start(listen=Address("0.0.0.0", 0), users=tmp_path / "users.json")

    for user in ("", "ada", "ada:wrong", f"bob:{users['ada']}"):
        with pytest.raises(OSError, match="407"):
            running.ask("let me in", user=user)
    assert model.calls == []
    assert running.ask("hello", user=f"ada:{users['ada']}").status == 200

    assert page(running.port, "/metrics").status == 401
    assert page(running.port, "/metrics", "Bearer wrong").status == 401
    assert page(running.port, "/metrics", f"Bearer {users['bob']}").status == 200
    assert page(running.port, "/healthz").status == 200
    assert page(running.port, "/bundle.pem").body.count(b"BEGIN CERTIFICATE") > 1


def test_beyond_this_machine_it_does_not_start_without_users(start: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every user needs a token: make one with"):
        start(listen=Address("0.0.0.0", 0))
    assert not (tmp_path / "store").exists()


def test_in_reverse_mode_the_path_admits(
    start: Any, tmp_path: Path, users: dict[str, str], model: ScriptedModel
) -> None:
    running = start(mode="reverse", users=tmp_path / "users.json")
    base = next(url for at, url in running.listening.bases.items() if at.host == HOST)
    port = int(base.rpartition(":")[2])

    assert page(port, "/v1/models").status == 401
    assert page(port, f"/@ada:{users['bob']}/v1/models").status == 401
    page(port, f"/@ada:{users['ada']}/v1/models")
    running.stop()

    (call,) = model.calls
    assert call.request.path == "/v1/models"
    ((user, _, _),) = traces(running)
    assert user == "ada"
    assert users["ada"] not in str(traces(running))


# --- whose session ----------------------------------------------------------------------------


def test_users_and_agents_interleaved_end_up_in_files_of_their_own(
    start: Any, tmp_path: Path, users: dict[str, str]
) -> None:
    running = start(users=tmp_path / "users.json")
    styles: list[tuple[str, dict[str, Any]]] = [
        ("claude", {"headers": CLAUDE, "session": "s1"}),
        ("claude again", {"headers": CLAUDE, "session": "s2"}),
        ("opencode", {"headers": OPENCODE, "session": "s1"}),
        ("no header", {"headers": OPENAI}),
    ]

    def work(user: str, text: str, more: dict[str, Any]) -> None:
        with running.agent(f"{user}:{users[user]}") as agent:
            said = [f"{user} with {text}"]
            for turn in range(3):
                answer = agent.ask(*said, **more)
                assert answer.status == 200
                said += ["You said it.", f"{user} with {text}, turn {turn}"]

    threads = [
        threading.Thread(target=work, args=(user, text, more))
        for user in users
        for text, more in styles
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = running.stop()

    found = traces(running)
    agents = [("claude-code", "s1"), ("claude-code", "s2"), ("generic", ""), ("opencode", "s1")]
    assert sorted(found) == [(user, *agent) for user in ("ada", "bob") for agent in agents]
    words = {"s2": "claude again", "": "no header"}
    for (user, agent, session), spans in found.items():
        text = words.get(session, agent.removesuffix("-code"))
        assert asked(spans) == [
            f"{user} with {text}",
            f"{user} with {text}, turn 0",
            f"{user} with {text}, turn 1",
        ]
    assert ended == Ended(calls=24, sessions=8, lost=0, unrecorded=0, cut=0)


def test_without_users_a_name_tells_and_without_a_name_the_conversation(start: Any) -> None:
    running = start()
    running.ask("one", user="ada+task1", headers=OPENAI)
    running.ask("two", user="ada+task2:x", headers=OPENAI)
    running.ask("a", headers=OPENAI)
    running.ask("x", headers=OPENAI)
    running.ask("a", "b", "c", headers=OPENAI)
    running.stop()

    roots = [
        (spans[0].attributes[semconv.SESSION_JOIN], spans[0].attributes.get(semconv.USER_NAME))
        for spans in map(running_spans, running.store.paths())
    ]
    assert sorted(map(str, roots)) == sorted(
        map(str, [("user", "ada"), ("user", "ada"), ("inferred", None), ("inferred", None)])
    )


def running_spans(path: Path) -> list[Span]:
    from traceproof.recorder.reader import TraceReader  # noqa: PLC0415

    with TraceReader.open(path) as reader:
        spans = [record.span for record in reader.records()]
    return sorted(spans, key=lambda span: bool(span.parent_id))


# --- its own pages ----------------------------------------------------------------------------


def test_the_figures_are_true(start: Any) -> None:
    faults = [Turn([Say("x")], faults=[Status(529)]), Turn([Say("long" * 9)], faults=[Cut(40)])]
    turns = [Turn([Say("one")]), *faults, Turn([Say("two")])]
    with ScriptedModel(lambda request: turns[int(request.last)]) as model:
        running = start(url=model.url)
        bodies = 0
        for number in range(3):
            try:
                bodies += len(running.ask(str(number), session=f"s{number}").body)
            except (OSError, EOFError, ValueError) as error:
                bodies += len(getattr(error, "partial", b""))
            except Exception as error:  # noqa: BLE001 - http.client's own
                bodies += len(getattr(error, "partial", b""))
        running.until("lag_bytes", 0)
        told = running.figures()
        sent = sum(len(call.request_body) for call in model.calls)

    assert told['requests_total{status="200",state="complete"}'] == 1
    assert told['requests_total{status="529",state="refused"}'] == 1
    assert told['requests_total{status="200",state="cut"}'] == 1
    assert told["request_bytes_total"] == sent
    assert (told["recorded_total"], told["sessions_open"], told["sessions_total"]) == (3, 3, 3)
    assert (told["dropped_total"], told["faults_total"], told["streams_live"]) == (0, 0, 0)
    assert (told["lag_bytes"], told["lag_seconds"], told["recording"]) == (0, 0, 1)
    assert told["connections"] >= 1  # the one that asks
    assert told["store_bytes"] > 0


def test_health_says_whether_calls_are_recorded(start: Any) -> None:
    running = start()
    told = json.loads(page(running.port, "/healthz").body)
    assert (told["status"], told["recording"], told["problem"]) == ("ok", True, "")
    assert page(running.port, "/healthz", method="HEAD") == Answer(200, b"")
    assert page(running.port, "/nothing").status == 404


# --- when there is no room ----------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the store measured often."""
    monkeypatch.setattr(service, "MEASURED_EVERY", 0.02)


def fill(store: Path, size: int) -> Path:
    """Put a file in the store that has its whole size at once, however it is measured."""
    made = store.parent / "filler"
    made.write_bytes(bytes(size))
    return made.rename(store / "filler")


@pytest.mark.usefixtures("soon")
def test_a_full_quota_lets_calls_pass_unrecorded_until_there_is_room(
    start: Any, tmp_path: Path
) -> None:
    running = start(quota=4_000_000)
    running.ask("kept", session="s1")
    filler = fill(tmp_path / "store", 4_000_000)
    running.until("recording", 0)

    assert running.ask("not kept", session="s1").status == 200
    told = running.figures()
    assert told['unrecorded_total{reason="no room"}'] == 1
    health = json.loads(page(running.port, "/healthz").body)
    assert (health["status"], health["problem"]) == (
        "degraded",
        "the quota of 4.0 MB is used up",
    )
    filler.unlink()
    running.until("recording", 1)
    running.ask("kept again", session="s1")
    assert running.stop() == Ended(calls=2, sessions=1, lost=0, unrecorded=1, cut=0)

    assert running.said == [
        "the quota of 4.0 MB is used up: from now on calls pass unrecorded",
        "there is room again: calls are recorded",
    ]
    ((_, spans),) = traces(running).items()
    assert asked(spans) == ["kept", "kept again"]


@pytest.mark.usefixtures("soon")
def test_with_closed_a_full_quota_refuses_calls_in_one_clear_line(
    start: Any, tmp_path: Path, model: ScriptedModel
) -> None:
    running = start(quota=4_000_000, on_failure="closed")
    fill(tmp_path / "store", 4_000_000)
    running.until("recording", 0)

    answer = running.ask("no", session="s1")

    assert answer.status == 503
    assert answer.error == (
        "traceproof: the quota of 4.0 MB is used up, and --on-failure is closed, "
        "so the call was not made"
    )
    assert model.calls == []
    assert running.figures()["refused_total"] == 1


@pytest.mark.usefixtures("soon")
def test_a_quota_that_is_nearly_used_is_told(start: Any, tmp_path: Path) -> None:
    running = start(quota=10 << 20)
    fill(tmp_path / "store", 9_600_000)
    end = time.monotonic() + 10
    while not running.said:
        assert time.monotonic() < end
        time.sleep(0.01)

    assert running.said[0].endswith("% of the quota of 10.5 MB is used")


def test_a_new_request_waits_while_the_recorder_is_behind_and_nothing_is_lost(
    start: Any, model: ScriptedModel
) -> None:
    running = start()
    gate = threading.Event()
    running.team._capture.run(lambda: gate.wait(10) and None)
    assert running.ask("one", session="s1").status == 200
    end = time.monotonic() + 10
    while running.figures()["lag_seconds"] <= LAG_SECONDS:
        assert time.monotonic() < end
    assert running.figures()["lag_bytes"] > 0

    with running.agent() as agent:
        agent.send("two", session="s1")
        for _ in range(20):  # each is served by the loop that would serve the call
            running.figures()
        assert len(model.calls) == 1
        opened = time.time_ns()
        gate.set()
        assert agent.hear().status == 200
    assert running.stop() == Ended(calls=2, sessions=1, lost=0, unrecorded=0, cut=0)

    first, second = model.calls
    assert first.started < opened <= second.started


# --- the end ------------------------------------------------------------------------------------


def test_a_drain_lets_a_stream_end_and_takes_no_more(start: Any) -> None:
    with ScriptedModel([Turn([Say("a long answer " * 20)], faults=[Hold(3)])]) as model:
        running = start(url=model.url, grace=10.0)
        agent = running.agent()
        agent.send("go on", session="s1")
        model.wait_held()
        response = agent.begin()
        draining = threading.Thread(target=running.team.drain)
        draining.start()
        end = time.monotonic() + 10
        while True:  # until nobody listens any more
            try:
                page(running.port, "/healthz")
            except OSError:
                break
            assert time.monotonic() < end
        model.release()
        body = response.read()
        draining.join(10)
        assert not draining.is_alive()
        running.ended = running.team.close()
        agent.close()
        (call,) = model.calls

    assert body == call.response_body
    ((_, spans),) = traces(running).items()
    assert spans[-1].attributes[semconv.CALL_STATE] == "complete"
    assert running.ended.cut == 0


def test_a_call_that_outlasts_the_grace_is_cut_and_its_trace_is_whole(start: Any) -> None:
    with ScriptedModel([Turn([Say("a long answer " * 20)], faults=[Hold(3)])]) as model:
        running = start(url=model.url, grace=0.0)
        with running.agent() as agent:
            agent.send("go on", session="s1")
            model.wait_held()
            agent.begin().read(10)
            ended = running.stop()

    assert (ended.cut, ended.lost) == (1, 0)
    ((_, spans),) = traces(running).items()
    assert spans[-1].attributes[semconv.CALL_STATE] == "cut"


def test_the_files_are_closed_even_while_a_drain_waits(start: Any) -> None:
    with ScriptedModel([Turn([Say("a long answer " * 20)], faults=[Hold(3)])]) as model:
        running = start(url=model.url, grace=10.0)
        with running.agent() as agent:
            agent.send("go on", session="s1")
            model.wait_held()
            draining = threading.Thread(target=running.team.drain)
            draining.start()
            running.ended = running.team.close()
            ((_, spans),) = traces(running).items()
            model.release()
            draining.join(10)

    assert running.ended.cut == 1
    assert spans[-1].attributes[semconv.CALL_STATE] in {"cut", "failed"}


def test_a_port_that_is_taken_leaves_nothing_running(start: Any) -> None:
    running = start()
    before = threading.active_count()
    with pytest.raises(OSError, match="cannot listen on"):
        start(listen=Address("127.0.0.1", running.port))

    assert threading.active_count() == before


def test_what_it_says_is_in_its_log_too(start: Any, tmp_path: Path) -> None:
    running = start()
    token = "tpx_" + "aB3-_" * 9
    logging.getLogger("traceproof.team").warning("something about %s", token)
    running.stop()

    log = (tmp_path / "store" / "proxy.log").read_text()
    assert "something about <SECRET:TRACEPROOF_TOKEN>" in log
