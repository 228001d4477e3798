"""Pushes as a server sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import made as story
from support import otlp_consumer
from support.otlp_server import OtlpServer, Reply
from traceproof.export.endpoint import resolve
from traceproof.export.openinference import Names
from traceproof.export.push import How, Push, Pushed
from traceproof.export.sender import Sender
from traceproof.export.whole import Wanted
from traceproof.growing import is_recorded
from traceproof.recorder import semconv
from traceproof.recorder.conventions import GENAI
from traceproof.recorder.writer import TraceWriter

OURS = [story.FIRST, story.TOOL, story.LAST, story.ROOT]
LEAN = Wanted(bodies=False, agent_spans=False)
ONE = 1
"""Bytes of a batch that make each span go alone."""


def push(path: Path, server: OtlpServer, **how: Any) -> Pushed:
    endpoint = resolve(server.url, [], {})
    seen: list[int] = []
    told = How(**{"wanted": LEAN, **how})
    with Sender(endpoint, timeout=10, again=lambda _: None) as sender:
        done = Push(path, endpoint, told, lambda pushed: seen.append(pushed.sent)).run(sender)
    assert seen == sorted(seen)
    return done


def taken(server: OtlpServer) -> dict[str, dict[str, Any]]:
    return {span.span_id.hex(): otlp_consumer.attributes(span) for span in server.taken}


def test_the_spans_arrive_whole_in_the_order_of_the_file(made: Path) -> None:
    with OtlpServer() as server:
        done = push(made, server)

    assert (done.trace_id, done.sent, done.before, done.refused) == (story.TRACE, 4, 0, 0)
    assert server.ids == OURS
    first = taken(server)[story.FIRST]
    assert json.loads(first[semconv.INPUT_MESSAGES]) == story.ASKED
    assert first["llm.input_messages.0.message.content"] == "Fix é.py"
    assert first["llm.token_count.prompt_details.cache_write"] == 200
    root = taken(server)[story.ROOT]
    assert root["openinference.span.kind"] == "AGENT"
    assert root["output.value"] == "Fixed."
    assert not [
        name for span in taken(server).values() for name in span if "traceproof.ref" in name
    ]
    assert semconv.REQUEST_BODY not in first


def test_what_has_gone_does_not_go_again_unless_one_says_so(made: Path) -> None:
    with OtlpServer() as server:
        push(made, server)
        again = push(made, server)
        forced = push(made, server, again=True)

    assert (again.sent, again.before) == (0, 4)
    assert (forced.sent, forced.before) == (4, 0)
    assert server.ids == OURS * 2


def test_told_another_way_it_is_another_push(made: Path) -> None:
    with OtlpServer() as server:
        push(made, server)
        push(made, server, names=Names.genai)
        push(made, server, resource={"team": "tools"})

    assert server.ids == OURS * 3


def test_an_interrupted_push_goes_on_where_it_was(made: Path) -> None:
    with OtlpServer(Reply(), Reply(), Reply(400)) as server:
        with pytest.raises(ConnectionError):
            push(made, server, batch_bytes=ONE)
        assert server.ids == OURS[:2]

        done = push(made, server, batch_bytes=ONE)

    assert (done.before, done.sent) == (2, 2)
    assert server.ids == OURS


def test_a_resumed_push_still_knows_the_last_words(made: Path) -> None:
    with OtlpServer(Reply(), Reply(), Reply(), Reply(400)) as server:
        with pytest.raises(ConnectionError):
            push(made, server, batch_bytes=ONE)
        push(made, server, batch_bytes=ONE)

    assert taken(server)[story.ROOT]["output.value"] == "Fixed."


def test_a_recording_under_way_sends_what_has_ended_and_the_rest_later(
    growing: TraceWriter, path: Path
) -> None:
    with OtlpServer() as server:
        early = push(path, server)
        assert (early.sent, early.left) == (3, 1)

        growing.close()
        late = push(path, server)

    assert (late.before, late.sent, late.left) == (3, 1, 0)
    assert taken(server)[story.ROOT][semconv.PENDING] is True
    assert server.ids == OURS


def test_a_file_is_known_to_be_recorded_by_its_lock(growing: TraceWriter, path: Path) -> None:
    assert is_recorded(path)

    growing.close()

    assert not is_recorded(path)


def test_a_batch_that_is_too_large_goes_in_halves(made: Path) -> None:
    with OtlpServer(always=Reply(most=5000)) as server:
        done = push(made, server)

    assert sorted([*server.ids, story.LAST]) == sorted(OURS)
    assert (done.sent, done.refused) == (3, 1)
    (problem,) = done.problems
    assert problem.startswith(f"span {story.LAST}: answered 413 ")
    assert problem.endswith(": too large")


def test_spans_that_the_server_refuses_are_counted_with_its_reason(made: Path) -> None:
    with OtlpServer(Reply(rejected=1, text="quota")) as server:
        done = push(made, server)

    assert (done.sent, done.refused, done.problems) == (3, 1, ["quota"])


def test_what_was_refused_once_has_not_gone(made: Path) -> None:
    with OtlpServer(Reply(rejected=1, text="quota")) as server:
        push(made, server)
        later = push(made, server)
        again = push(made, server, again=True)

    assert (later.sent, later.before, later.refused) == (0, 3, 1)
    assert (again.sent, again.before, again.refused) == (4, 0, 0)


def test_a_later_convention_is_spoken_and_openinference_still_counts(made: Path) -> None:
    with OtlpServer() as server:
        push(made, server, wanted=LEAN._replace(semconv=GENAI))

    first = taken(server)[story.FIRST]
    assert first["gen_ai.usage.cache_write.input_tokens"] == 200
    assert semconv.CACHE_CREATION_TOKENS not in first
    assert first["llm.token_count.prompt_details.cache_write"] == 200
    schemas = {scope.schema_url for _, scope, _ in otlp_consumer.spans([server.asked[0].message])}
    assert schemas == {GENAI.schema_url}


def test_bodies_and_the_agents_spans_go_along_when_wanted(made: Path) -> None:
    with OtlpServer() as server:
        done = push(made, server, wanted=Wanted())

    assert done.sent == 5
    spans = taken(server)
    assert spans[story.THEIRS] == {}
    assert json.loads(spans[story.FIRST][semconv.REQUEST_BODY]) == story.ASKED
    assert spans[story.FIRST][f"{semconv.RESPONSE_BODY}.base64"] == "H4v/"
