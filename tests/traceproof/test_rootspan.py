from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from traceproof.recorder import semconv
from traceproof.recorder.consent import CONSENT_EVENT
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.repository import RepositoryFacts
from traceproof.recorder.span import Attributes, Event, Span
from traceproof.recorder.store import Store
from traceproof.recorder.task import Contract, Scenario, Task
from traceproof.recorder.untracked import UntrackedFile
from traceproof.recorder.writer import TraceWriter
from traceproof.rootspan import leave_marker, name_task, root_span
from traceproof.settings import Settings

FACTS = RepositoryFacts("clean", url="https://example.com/x.git", commit="c" * 40, branch="main")
RESOURCE: Attributes = {"service.name": "traceproof"}

Made = tuple[Span, Callable[[], Span]]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TraceWriter]:
    writer = TraceWriter(tmp_path / "x.zst", resource=RESOURCE)
    yield writer
    writer.close()


def settings(folder: Path, task: Task = Task()) -> Settings:  # noqa: B008 - frozen
    return Settings(("claude", "-p", "hi"), folder, {}, Store(folder / "store"), task)


def made(writer: TraceWriter, facts: RepositoryFacts = FACTS, task: Task = Task()) -> Span:  # noqa: B008
    place = settings(writer.path.parent, task)
    return root_span(place, facts, writer, trace_id="1" * 32, started=5)


def inlined(writer: TraceWriter, span: Span) -> Span:
    """Return a span as one reads it back."""
    writer.span(span)
    writer.close()
    with TraceReader.open(writer.path) as reader:
        return next(reader.spans(inline=True))


def test_it_says_who_did_what_where_and_with_whose_agreement(writer: TraceWriter) -> None:
    root = made(writer)

    assert (root.name, root.trace_id, root.parent_id, root.start) == (
        "invoke_agent claude-code",
        "1" * 32,
        "",
        5,
    )
    assert root.attributes[semconv.PROCESS_COMMAND_ARGS] == ["claude", "-p", "hi"]
    assert root.attributes[semconv.PROCESS_WORKING_DIRECTORY] == str(writer.path.parent)
    assert root.attributes[semconv.VCS_REVISION] == "c" * 40
    assert root.attributes[semconv.ORIGIN] == "recorded"
    assert root.attributes[semconv.SCENARIO] == "real_dev"
    consent = root.attributes[semconv.CONSENT]
    assert isinstance(consent, dict)
    assert consent["how"] == "started traceproof record"


def test_changes_and_untracked_files_come_back_byte_for_byte(writer: TraceWriter) -> None:
    file = UntrackedFile("a/b.bin", "100755", b"\x00\xff")
    facts = RepositoryFacts("dirty", patch=b"diff --git a/x b/x\n", untracked=(file,))

    root = made(writer, facts)
    back = inlined(writer, root)

    assert back.attributes[semconv.VCS_DIRTY_PATCH] == b"diff --git a/x b/x\n"
    (listed,) = json.loads(str(back.attributes[semconv.VCS_UNTRACKED]))
    assert (listed["path"], listed["mode"]) == ("a/b.bin", "100755")
    with TraceReader.open(writer.path) as reader:
        assert reader.resolve(listed["ref"]) == b"\x00\xff"


def test_the_task_is_named_and_its_contract_kept(writer: TraceWriter) -> None:
    task = Task(
        id="PROJ-1",
        scenario=Scenario.EVALUATION,
        reserve_eval=True,
        contract=Contract(goal="it works"),
    )

    back = inlined(writer, made(writer, task=task))

    assert back.attributes[semconv.TASK_ID] == "PROJ-1"
    assert back.attributes[semconv.SCENARIO] == "evaluation"
    assert back.attributes[semconv.RESERVE_EVAL] is True
    assert json.loads(str(back.attributes[semconv.TASK_CONTRACT])) == {"goal": "it works"}


def test_a_task_without_an_id_gets_one_by_repository_commit_and_prompt(
    writer: TraceWriter,
) -> None:
    one, same, other = made(writer), made(writer), made(writer)
    for root, prompt in ((one, "fix it"), (same, "fix it"), (other, "explain it")):
        root.events.append(Event("traceproof.user_prompt", 6, {"content": prompt}))
        name_task(root)

    ids = [str(root.attributes[semconv.TASK_ID]) for root in (one, same, other)]
    assert ids[0].startswith("auto-")
    assert ids[0] == ids[1] != ids[2]


def test_a_task_with_an_id_keeps_it(writer: TraceWriter) -> None:
    root = made(writer, task=Task(id="PROJ-1"))
    name_task(root)

    assert root.attributes[semconv.TASK_ID] == "PROJ-1"


def test_an_excluded_trace_says_no_more_than_that_there_was_one(writer: TraceWriter) -> None:
    root = made(writer)
    root.end = 9
    root.events = [
        Event("traceproof.user_prompt", 6, {"content": "secret plans"}),
        Event(CONSENT_EVENT, 7, {semconv.CONSENT: "excluded"}),
    ]
    writer.span(root)
    writer.close()

    leave_marker(writer.path, root, RESOURCE)

    with TraceReader.open(writer.path) as reader:
        (left,) = reader.spans()
    assert left.attributes == {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: "claude-code",
    }
    assert [event.name for event in left.events] == [CONSENT_EVENT]
    assert (left.trace_id, left.start, left.end) == ("1" * 32, 5, 9)


def test_what_is_left_of_an_excluded_trace_is_masked_too(writer: TraceWriter) -> None:
    redactor = Redactor()
    redactor.add("api.token", "made-up-token-1")
    root = made(writer)
    root.end = 9
    writer.close()

    leave_marker(writer.path, root, {**RESOURCE, "api.token": "made-up-token-1"}, redactor.mask)

    with TraceReader.open(writer.path) as reader:
        (left,) = reader.records()
    assert left.resource["api.token"] == "<SECRET:API_TOKEN>"
