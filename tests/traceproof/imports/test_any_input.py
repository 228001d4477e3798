"""Whatever a file holds, an import makes a trace of it or says in one line that it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import traceproof
from traceproof.imports.importing import Importer
from traceproof.imports.sources import SOURCES
from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.store import Store

WORDS = st.sampled_from(
    """
    type message role user assistant tool system content text tool_use tool_result id name input
    tool_use_id is_error uuid parentUuid sessionId timestamp 2026-03-01T10:00:00Z isSidechain
    agentId toolUseResult stdout usage input_tokens model stop_reason version attachment subtype
    compact_boundary isCompactSummary queue-operation enqueue operation permissionMode payload
    session_meta response_item event_msg turn_context compacted function_call function_call_output
    call_id arguments output token_count info last_token_usage item_completed item CommandExecution
    command exit_code duration cwd reasoning summary ordinal messages trajectory history extra
    response choices finish_reason trajectory_format mini-swe-agent-1 actions returncode
    schema_version ATIF-v1.7 agent steps source step_id tool_calls tool_call_id function_name
    observation results source_call_id subagent_trajectories trajectory_id metrics prompt_tokens
    action thought execution_time query tool_call_ids function object
    """.split()  # noqa: SIM905 - a list would take a page
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=12,
)
MARKS: dict[str, dict[str, Any]] = {
    "claude-code": {"sessionId": "s", "type": "user"},
    "codex": {"type": "response_item", "payload": {}},
    "mini-swe-agent": {"trajectory_format": "mini-swe-agent-1", "messages": []},
    "swe-agent": {"trajectory": [], "history": []},
    "atif": {"schema_version": "ATIF-v1.5", "steps": []},
}
RECORDS = st.lists(st.dictionaries(WORDS, VALUES, max_size=8), min_size=1, max_size=6)
ANY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(Store(tmp_path / "store"), Redactor(PATTERNS))


def taken(importer: Importer, path: Path, data: bytes, source: str = "") -> None:
    """Import some bytes; a trace that comes of it can be read."""
    path.write_bytes(data)
    refused = ""
    try:
        done = importer.run(path, source, again=True)
    except ValueError as error:
        refused = str(error)
    assert "\n" not in refused
    if refused:
        return
    with traceproof.open_trace(done.trace) as trace:
        assert trace.problems == []
        for agent in trace.agents():
            for turn in agent.calls():
                _ = turn.input, turn.output, [call.arguments for call in turn.tool_calls]
    Path(done.trace).unlink()


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@ANY
@given(data=st.binary(max_size=200))
def test_any_bytes(importer: Importer, tmp_path: Path, data: bytes) -> None:
    taken(importer, tmp_path / "file", data)


@pytest.mark.parametrize("source", ["claude-code", "codex"])
@ANY
@given(records=RECORDS)
def test_any_lines(
    importer: Importer, tmp_path: Path, source: str, records: list[dict[str, Any]]
) -> None:
    marked = [{**MARKS[source], **record} for record in records]

    taken(importer, tmp_path / "file", b"\n".join(map(encoded, marked)))


@pytest.mark.parametrize("source", ["mini-swe-agent", "swe-agent", "atif"])
@ANY
@given(data=st.data())
def test_any_document(importer: Importer, tmp_path: Path, source: str, data: st.DataObject) -> None:
    records, more = data.draw(RECORDS), data.draw(st.dictionaries(WORDS, VALUES, max_size=4))
    lists = {key: records for key, value in MARKS[source].items() if value == []}
    whole = encoded({**more, **MARKS[source], **lists})

    taken(importer, tmp_path / "file", whole)
    taken(importer, tmp_path / "file", whole[: data.draw(st.integers(0, len(whole)))])


@pytest.mark.parametrize("source", SOURCES)
@ANY
@given(records=RECORDS)
def test_anything_by_a_name_that_is_wrong(
    importer: Importer, tmp_path: Path, source: str, records: list[dict[str, Any]]
) -> None:
    taken(importer, tmp_path / "file", b"\n".join(map(encoded, records)), source)
