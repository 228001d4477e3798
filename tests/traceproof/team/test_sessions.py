from __future__ import annotations

import errno
import threading
from typing import Any

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.consent import State
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.secrets import Secret
from traceproof.recorder.switch import live, switch

TOKEN = "tpx_" + "Ab3-_" * 8 + "xyz"


def said(spans: list[Any]) -> str:
    return " ".join(str(span.attributes.get(semconv.INPUT_MESSAGES, "")) for span in spans)


def test_each_session_has_a_file_of_its_own(recorder: Any, exchange: Any, chats: Any) -> None:
    recorder.take(
        exchange("one", user="ada", session="s1"),
        exchange("two", user="bob", session="s1"),
        exchange("three", user="ada", session="s2"),
        exchange("four", user="ada"),
        exchange("five"),
        exchange("one", "Hello", "six", user="ada", session="s1"),
    )

    found = sorted(
        (
            str(spans[0].attributes.get(semconv.USER_NAME, "")),
            str(spans[0].attributes[semconv.SESSION_JOIN]),
            str(spans[0].attributes.get(semconv.CONVERSATION_ID, "")),
            len(chats(spans)),
        )
        for spans in recorder.close().all()
    )
    assert found == [
        ("", "inferred", "", 1),
        ("ada", "exact", "s1", 2),
        ("ada", "exact", "s2", 1),
        ("ada", "user", "", 1),
        ("bob", "exact", "s1", 1),
    ]


def test_users_with_the_same_words_and_ids_share_nothing(recorder: Any, exchange: Any) -> None:
    for user in ("ada", "bob"):
        secret = f"of {user} alone"
        recorder.take(exchange("same", secret, "words", user=user, session="s1"))
        recorder.take(exchange("same", secret, "words", user=user))

    for spans in recorder.close().all():
        user = spans[0].attributes[semconv.USER_NAME]
        other = {"ada": "bob", "bob": "ada"}[str(user)]
        assert f"of {user} alone" in said(spans)
        assert f"of {other} alone" not in str(spans)


def test_what_a_root_says(new_recorder: Any, exchange: Any) -> None:
    recorder = new_recorder(mode="reverse")
    recorder.take(exchange("Fix it", user="ada", session="s1"))

    (root,) = recorder.close().roots()
    facts = root.attributes
    assert root.name == "invoke_agent claude-code"
    assert facts[semconv.CONSENT] == {"given_by": "ada", "how": "sent through traceproof proxy"}
    assert facts[semconv.RECORDING_MODE] == "reverse"
    assert facts[semconv.AGENT_VERSION] == "2.1.197"
    assert str(facts[semconv.TASK_ID]).startswith("auto-")
    assert [event.attributes["content"] for event in root.events] == ["Fix it"]


def test_a_session_is_closed_when_idle_and_its_next_file_is_linked(
    new_recorder: Any, exchange: Any
) -> None:
    recorder = new_recorder(idle=60.0)
    recorder.take(exchange("one", user="ada", session="s1"), exchange("one", user="ada"))
    recorder.now += 59
    recorder.look()
    assert recorder.sessions.count == 2
    recorder.now += 2
    recorder.look()
    assert recorder.sessions.count == 0
    while recorder.sessions.busy:  # a thread of its own waits for the disk
        recorder.look()
    recorder.take(exchange("one", "Hello", "two", user="ada", session="s1"))
    recorder.take(exchange("two", user="ada"))

    traces = recorder.close()
    exact = [root for root in traces.roots() if root.attributes[semconv.SESSION_JOIN] == "exact"]
    first, second = sorted(exact, key=lambda root: root.start)
    (link,) = second.links
    assert (link.trace_id, link.span_id) == (first.trace_id, first.span_id)
    assert link.attributes == {semconv.LINK_TYPE: "continues"}
    assert first.attributes[semconv.CONVERSATION_ID] == second.attributes[semconv.CONVERSATION_ID]
    assert len(traces.roots()) == 4
    assert sum(bool(root.links) for root in traces.roots()) == 1


def test_a_call_in_flight_keeps_its_session_open(new_recorder: Any, exchange: Any) -> None:
    recorder = new_recorder(idle=60.0)
    call = exchange("one", session="s1")
    recorder.begin(call)
    recorder.now += 1000
    recorder.look()

    assert recorder.sessions.count == 1
    recorder.meter.ended(call)
    recorder.look()
    assert recorder.sessions.count == 1
    recorder.now += 1000
    recorder.look()
    assert recorder.sessions.count == 0


def test_a_quiet_session_rests_and_goes_on_in_the_same_file(
    recorder: Any, exchange: Any, chats: Any
) -> None:
    recorder.take(exchange("one", session="s1"))
    recorder.now += 21
    recorder.look()
    (session,) = recorder.sessions._open.values()
    assert session.resting
    assert session.writer._frames._context is None
    recorder.look()
    recorder.take(exchange("one", "Hello", "two", session="s1"))
    assert not session.resting

    (spans,) = recorder.close().all()
    assert len(chats(spans)) == 2


def test_a_fault_at_the_end_of_one_session_is_counted_and_the_others_are_closed(
    recorder: Any, exchange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.take(exchange("one", session="s1"), exchange("one", session="s2"))
    broken = next(iter(recorder.sessions._open.values()))
    broken.context.session.root.attributes["x"] = object()

    assert len(recorder.close().store.paths()) == 2
    assert recorder.sessions.totals.lost == 1
    assert "a session did not end well" in caplog.text


def test_a_trace_is_never_empty(recorder: Any, exchange: Any) -> None:
    recorder.begin(exchange("one", session="s1"))
    recorder.settle()

    (path,) = recorder.store.paths()
    with TraceReader.open(path) as reader:
        assert next(iter(reader.records())).pending


def test_many_sessions_take_one_thread_for_their_files(recorder: Any, exchange: Any) -> None:
    before = threading.active_count()
    recorder.take(*(exchange("one", session=f"s{number}") for number in range(50)))

    assert recorder.sessions.count == 50
    assert threading.active_count() <= before + 1


# --- secrets --------------------------------------------------------------------------------------


def test_tokens_are_masked_whoever_sends_them(new_recorder: Any, exchange: Any) -> None:
    pasted = f"HTTPS_PROXY=http://bob:{TOKEN}@proxy:8080"
    own = "own-token-of-ada-0123456789"
    recorder = new_recorder(lambda user: [Secret("TRACEPROOF_TOKEN", own)] if user else [])
    recorder.take(exchange(f"{pasted} {own}", user="ada", session="s1", answer=pasted))
    recorder.take(exchange(pasted))

    traces = recorder.close()
    text = str(traces.all())
    assert TOKEN not in text
    assert own not in text
    assert "bob:<SECRET:TRACEPROOF_TOKEN>@proxy" in text


def test_what_one_session_learns_masks_it_there_and_the_environment_everywhere(
    new_recorder: Any, exchange: Any
) -> None:
    recorder = new_recorder(environment={"COMPANY_API_KEY": "key-of-the-machine-42x"})
    key = "sk-ant-api03-ada-0123456789abcdef"
    call = exchange(f"{key} key-of-the-machine-42x", session="s1")
    call.request_headers = [*call.request_headers, ("x-api-key", key)]
    recorder.take(call, exchange("key-of-the-machine-42x", session="s2"))

    text = str(recorder.close().all())
    assert "key-of-the-machine" not in text
    assert key not in text
    assert "<SECRET:X_API_KEY>" in text


# --- room -----------------------------------------------------------------------------------------


def test_without_room_calls_pass_unrecorded_and_are_counted(
    new_recorder: Any, exchange: Any, chats: Any
) -> None:
    recorder = new_recorder(quota=1000)
    recorder.take(exchange("one", session="s1"))
    recorder.room.measure(1000)
    recorder.take(exchange("two", session="s1"), exchange("three", session="s2"))
    recorder.room.measure(10)
    recorder.take(exchange("four", session="s1"))

    assert recorder.sessions.totals.unrecorded == {"no room": 2}
    assert recorder.meter.waiting == 0
    (spans,) = recorder.close().all()
    assert ["one" in said([chat]) or "four" in said([chat]) for chat in chats(spans)] == [True] * 2


def test_a_store_that_cannot_be_written_costs_the_record_and_not_the_service(
    recorder: Any, exchange: Any
) -> None:
    recorder.store.traces_path.rmdir()
    recorder.take(exchange("one", session="s1"))
    assert recorder.sessions.totals.unrecorded == {"no room": 1}
    assert "No such file or directory" in recorder.room.problem

    recorder.store.create()
    recorder.room.measure(0)
    recorder.take(exchange("two", session="s1"))
    assert len(recorder.close().all()) == 1


# --- consent --------------------------------------------------------------------------------------


def test_one_session_can_be_paused_and_the_others_go_on(
    recorder: Any, exchange: Any, chats: Any
) -> None:
    recorder.take(exchange("one", session="s1"), exchange("one", session="s2"))
    place = recorder.store.path
    first = live(place)[0].header.trace_id
    switch(place, State.PAUSED, first)
    recorder.take(exchange("private", session="s1"), exchange("two", session="s2"))
    switch(place, State.RECORDING, first)
    recorder.take(exchange("three", session="s1"))

    assert recorder.sessions.totals.unrecorded == {"consent": 1}
    by = recorder.close().by(semconv.CONVERSATION_ID)
    assert [len(chats(by[name])) for name in ("s1", "s2")] == [2, 2]
    assert "private" not in str(by)
    assert live(place) == []


@pytest.mark.parametrize(
    ("state", "passed"), [(State.PAUSED, {}), (State.EXCLUDED, {"consent": 1})]
)
def test_a_web_socket_may_outlast_the_pause_it_is_opened_in(
    recorder: Any, exchange: Any, state: State, passed: dict[str, int]
) -> None:
    recorder.take(exchange("one", session="s1"))
    switch(recorder.store.path, state)
    socket = exchange("one", session="s1")
    socket.method = "GET"
    socket.request_headers = [*socket.request_headers, ("upgrade", "websocket")]
    socket.request_chunks.clear()
    recorder.begin(socket)
    recorder.settle()

    assert recorder.sessions.totals.unrecorded == passed


def test_an_excluded_session_stays_excluded_when_it_comes_back(
    new_recorder: Any, exchange: Any, chats: Any
) -> None:
    recorder = new_recorder(idle=60.0)
    recorder.take(exchange("private", session="s1"))
    switch(recorder.store.path, State.EXCLUDED)
    recorder.now += 100
    recorder.look()
    recorder.take(exchange("private too", session="s1"))

    (spans,) = recorder.close().all()
    assert (len(spans), chats(spans)) == (1, [])
    assert "private" not in str(spans)


def test_a_paused_session_is_not_idle(new_recorder: Any, exchange: Any) -> None:
    recorder = new_recorder(idle=60.0)
    recorder.take(exchange("one", session="s1"))
    switch(recorder.store.path, State.PAUSED)
    recorder.now += 1000
    recorder.look()

    assert recorder.sessions.count == 1


def test_the_end_cuts_what_is_in_flight_and_closes_every_file(
    recorder: Any, exchange: Any, chats: Any
) -> None:
    call = exchange("one", session="s1")
    call.ended = 0
    del call.response_chunks[3:]
    recorder.begin(call)
    recorder.settle()

    (spans,) = recorder.close().all()
    (chat,) = chats(spans)
    assert chat.attributes[semconv.CALL_STATE] == "cut"
    assert spans[0].end >= chat.end > 0


# --- many -----------------------------------------------------------------------------------------


def test_for_one_more_than_there_may_be_the_one_that_was_quiet_for_longest_is_closed(
    new_recorder: Any, exchange: Any
) -> None:
    recorder = new_recorder(most=2)
    busy = exchange("one", session="s0")
    recorder.begin(busy)
    for number in (1, 2, 3):
        recorder.now += 1
        recorder.take(exchange("one", session=f"s{number}"))
    assert {key.name for key in recorder.sessions._open} == {"s0", "s3"}
    recorder.begin(exchange("one", "Hello", "two", session="s3"))
    recorder.take(exchange("one", session="s4"))  # with nobody to make way
    assert recorder.sessions.count == 3
    recorder.meter.ended(busy)

    roots = recorder.close().by(semconv.CONVERSATION_ID)
    assert sorted(roots) == ["s0", "s1", "s2", "s3", "s4"]
    assert recorder.sessions.totals.lost == 0


def test_a_session_is_not_closed_while_the_disk_takes_nothing(
    new_recorder: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = new_recorder(idle=60.0)
    recorder.take(exchange("one", session="s1"))
    (session,) = recorder.sessions._open.values()
    blocked = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(session.writer._file, "_unwritten", blocked)
        patch.setattr(session.writer._file, "drain", lambda: False)
        recorder.now += 100
        recorder.look()
        assert recorder.sessions.problem is blocked
        assert recorder.sessions.count == 1
    recorder.look()

    assert recorder.sessions.count == 0


def test_what_a_disk_lost_for_good_does_not_keep_others_from_being_recorded(
    recorder: Any, exchange: Any
) -> None:
    recorder.take(exchange("one", session="s1"))
    (session,) = recorder.sessions._open.values()
    session.writer._file._unkept = OSError(errno.EIO, "Input/output error")

    assert recorder.sessions.problem is None
    recorder.close()
    assert recorder.sessions.totals.lost == 1


def test_a_call_that_is_asked_for_twice_counts_once(recorder: Any, exchange: Any) -> None:
    call = exchange("one", session="s1")
    assert recorder.sessions.choose(call) == recorder.sessions.choose(call)
    recorder.sessions.done(call)

    assert [session.calls for session in recorder.sessions._open.values()] == [0]
    assert recorder.sessions.totals.calls == 1
