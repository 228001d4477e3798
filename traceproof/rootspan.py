"""The root span as a recording begins: who, what for, where, and with whose agreement."""

from __future__ import annotations

from pathlib import Path

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.consent import CONSENT_EVENT, user
from traceproof.recorder.repository import RepositoryFacts
from traceproof.recorder.session import PROMPT_EVENT
from traceproof.recorder.span import Attributes, Span, new_span_id
from traceproof.recorder.spanlines import Masking
from traceproof.recorder.task import Task, derived_id
from traceproof.recorder.writer import TraceWriter
from traceproof.settings import Settings


def root_span(
    settings: Settings,
    facts: RepositoryFacts,
    writer: TraceWriter,
    *,
    trace_id: str,
    started: int,
) -> Span:
    """Make the root span, and store what it refers to; `started` in Unix nanoseconds."""
    agent = settings.agent
    attributes: Attributes = {
        semconv.OPERATION_NAME: "invoke_agent",
        semconv.AGENT_NAME: settings.display_name,
        semconv.ORIGIN: "recorded",
        semconv.CONSENT: {"given_by": user(), "how": "started traceproof record"},
        semconv.RECORDING_MODE: settings.mode,
        semconv.PROCESS_COMMAND_ARGS: list(settings.command),
        semconv.PROCESS_WORKING_DIRECTORY: str(settings.cwd),
        **settings.task.attributes(),
        **facts.attributes(),
        **_contents(facts, writer),
        **_contract(settings.task, writer),
    }
    version = agent.version(settings.command, settings.environment)
    if version:
        attributes[semconv.AGENT_VERSION] = version
    return Span(
        trace_id=trace_id,
        span_id=new_span_id(),
        name=f"invoke_agent {settings.display_name}",
        start=started,
        attributes=attributes,
    )


def name_task(root: Span) -> None:
    """Give the task an id where none was given: by repository, commit and first prompt."""
    if semconv.TASK_ID in root.attributes:
        return
    said = (event for event in root.events if event.name == PROMPT_EVENT)
    prompts = [event.attributes.get("content", "") for event in said]
    url, commit = root.attributes.get(semconv.VCS_URL), root.attributes.get(semconv.VCS_REVISION)
    prompt = str(prompts[0]) if prompts else ""
    root.attributes[semconv.TASK_ID] = derived_id(
        str(url) if url else None, str(commit) if commit else None, prompt
    )


def leave_marker(path: Path, root: Span, resource: Attributes, mask: Masking | None = None) -> None:
    """Put a trace in the place of an excluded one that says no more than that there was one."""
    path.unlink(missing_ok=True)
    kept = (semconv.OPERATION_NAME, semconv.AGENT_NAME)
    marker = msgspec.structs.replace(
        root,
        attributes={name: root.attributes[name] for name in kept},
        events=[event for event in root.events if event.name == CONSENT_EVENT],
        links=[],
    )
    writer = TraceWriter(path, resource=resource, mask=mask)
    writer.span(marker)
    writer.close()


def _contents(facts: RepositoryFacts, writer: TraceWriter) -> Attributes:
    stored: Attributes = {}
    if facts.patch:
        stored[semconv.REF + semconv.VCS_DIRTY_PATCH] = writer.blob(facts.patch)
    if facts.untracked:
        files = [
            {"path": file.path, "mode": file.mode, "ref": writer.blob(file.data)}
            for file in facts.untracked
        ]
        listed = msgspec.json.encode(files).decode()
        stored[semconv.REF + semconv.VCS_UNTRACKED] = writer.text(listed)
    return stored


def _contract(task: Task, writer: TraceWriter) -> Attributes:
    if task.contract is None:
        return {}
    return {semconv.REF + semconv.TASK_CONTRACT: writer.text(task.contract.encode().decode())}
