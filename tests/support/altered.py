"""A trace written again by the project's own writer, with something in it that did not happen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from traceproof.recorder import semconv
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.span import Event, Span
from traceproof.recorder.workspace.changes import apply, decode
from traceproof.recorder.workspace.tree import Tree, blob_id
from traceproof.recorder.writer import TraceWriter
from traceproof.workspaces import Workspaces, find_clone

Alter = Callable[[list[Span], TraceWriter], None]
_EVENTS = (semconv.SNAPSHOT_EVENT, semconv.EXTERNAL_CHANGE_EVENT)


def altered(path: Path, to: Path, clone: Path, alter: Alter) -> Path:
    """Write a trace again; `alter` changes its spans, and all trees' hashes are made to fit."""
    with TraceReader.open(path) as reader:
        workspaces = Workspaces(reader)
        base = find_clone(workspaces, clone, clone).leaves
        writer = TraceWriter(
            to, resource={"service.name": "traceproof", semconv.SOURCE: "recorder"}
        )
        records = [record for record in reader.records(inline=True) if not record.from_agent]
        spans = [record.span for record in records]
        for change in changes(spans):
            for _, leaf in decode(str(change.attributes[semconv.SNAPSHOT_CHANGES])):
                if leaf is not None and leaf.ref:
                    assert writer.blob(b"".join(reader.iter_body(leaf.ref))) == leaf.ref
    alter(spans, writer)
    tree = Tree(workspaces.algorithm)
    for name, leaf in base.items():
        tree.put(name, leaf)
    for event in sorted(events(spans), key=_number):
        event.attributes[semconv.TREE_BEFORE] = tree.hash()
        rows = str(event.attributes.pop(semconv.SNAPSHOT_CHANGES, "[]"))
        apply(tree, decode(rows))
        event.attributes[semconv.REF + semconv.SNAPSHOT_CHANGES] = writer.text(rows)
        event.attributes[semconv.TREE_AFTER] = tree.hash()
    for span in spans:
        writer.span(span)
    assert writer.close()
    return to


def events(spans: list[Span]) -> list[Event]:
    return [event for span in spans for event in span.events if event.name in _EVENTS]


def changes(spans: list[Span]) -> list[Event]:
    """Return the events that changed something."""
    return [event for event in events(spans) if semconv.SNAPSHOT_CHANGES in event.attributes]


def command(spans: list[Span], text: str) -> Span:
    """Return the span of the command that has a text in it, and was a tool call's."""
    (found,) = [
        span
        for span in spans
        if span.attributes.get(semconv.COMMAND_FOR) == "tool"
        and text in str(span.attributes.get(semconv.COMMAND_SCRIPT, ""))
    ]
    return found


def exit_code(text: str, code: int) -> Alter:
    """Let a command have ended with another exit code."""

    def alter(spans: list[Span], _writer: TraceWriter) -> None:
        command(spans, text).attributes[semconv.PROCESS_EXIT_CODE] = code

    return alter


def output(text: str, before: str, after: str) -> Alter:
    """Let a command have written something else."""

    def alter(spans: list[Span], _writer: TraceWriter) -> None:
        facts = command(spans, text).attributes
        streams = (semconv.COMMAND_OUTPUT, semconv.COMMAND_STDOUT)
        (name,) = [name for name in streams if before in str(facts.get(name, ""))]
        facts[name] = str(facts[name]).replace(before, after)

    return alter


def content(path: str, data: bytes) -> Alter:
    """Let the last change of a file have left something else in it."""

    def alter(spans: list[Span], writer: TraceWriter) -> None:
        for event in sorted(changes(spans), key=_number, reverse=True):
            rows = json.loads(str(event.attributes[semconv.SNAPSHOT_CHANGES]))
            for row in rows:
                if row.get("path") == path:
                    row |= {
                        "oid": blob_id("sha1", data),
                        "ref": writer.blob(data),
                        "size": len(data),
                    }
                    event.attributes[semconv.SNAPSHOT_CHANGES] = json.dumps(rows)
                    return
        raise LookupError(os.fspath(path))

    return alter


def _number(event: Event) -> int:
    return int(str(event.attributes[semconv.SNAPSHOT_NUMBER]))
