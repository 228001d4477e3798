"""A trace's spans as the questions about it need them: the turns, the edits, the checks.

Pure: each property is a choice among the spans, made once. What follows from them is said by
`traceproof.factlist` and `traceproof.questions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from traceproof import spanfacts
from traceproof.recorder import semconv
from traceproof.recorder.span import AttributeValue, Event, Span
from traceproof.recorder.summary import is_turn
from traceproof.spantree import SpanTree

_READERS = frozenset(
    {
        "read", "grep", "glob", "ls", "list", "search", "webfetch", "websearch", "view", "fetch",
        "readfile", "readmanyfiles", "searchfilecontent", "listdirectory", "googlewebsearch",
        "codesearch", "lsp",
    }
)  # fmt: skip
"""Tools that bring context, by their names in lower case and without `_`."""

_PLANNERS = frozenset(
    {
        "todowrite", "updateplan", "exitplanmode", "writetodos", "plan", "planexit", "taskcreate",
    }
)  # fmt: skip

UNTOLD = "the transcript that it was imported from does not tell"


class Evidence:
    """What a trace's spans show; long content stands in them as references."""

    def __init__(self, tree: SpanTree, root: Span) -> None:
        self._tree = tree
        self.root = root

    # --- spans by what they are -------------------------------------------------------------------

    @cached_property
    def agents(self) -> list[Span]:
        """The main agent's span and those of sub-agents."""
        return self._tree.of("invoke_agent") or [self.root]

    @cached_property
    def chats(self) -> list[Span]:
        """All model calls."""
        return self._tree.of("chat")

    @cached_property
    def turns(self) -> list[Span]:
        """The model calls that worked on the task and were answered."""
        return [span for span in self.chats if is_turn(span.attributes)]

    @cached_property
    def tools(self) -> list[Span]:
        """The tool calls that models asked for."""
        return [span for span in self._tree.of("execute_tool") if spanfacts.requested_by(span)]

    @cached_property
    def commands(self) -> list[Span]:
        """The shell commands that tool calls ran; what the agent ran for itself is left out."""
        return [
            span
            for span in self._tree.of(spanfacts.COMMAND)
            if span.attributes.get(semconv.COMMAND_FOR) != "agent"
        ]

    @cached_property
    def test_runs(self) -> list[Span]:
        """The runs of tests, in the order in which they ended."""
        runs = (run for run in self._tree.of(spanfacts.TEST) if not _is_part(run))
        return sorted(runs, key=lambda span: span.end)

    @cached_property
    def readers(self) -> list[Span]:
        """The tool calls that brought context: files read, searches."""
        return [span for span in self.tools if _plain_name(span) in _READERS]

    @cached_property
    def plans(self) -> list[Span]:
        """The tool calls by which the agent wrote down what it was going to do."""
        return [span for span in self.tools if _plain_name(span) in _PLANNERS]

    @cached_property
    def edits(self) -> list[Span]:
        """The spans of what changed the workspace, in order of time."""
        return [
            span
            for span in self._tree.spans
            if span is not self.root and any(map(_is_change, span.events))
        ]

    @cached_property
    def external_changes(self) -> list[tuple[Span, Event]]:
        """What changed where no tool was at work, with the span that tells it."""
        return [
            (span, event)
            for span in self.agents
            for event in span.events
            if event.name == semconv.EXTERNAL_CHANGE_EVENT
        ]

    # --- what they say ----------------------------------------------------------------------------

    def holds(self, span: Span, name: str) -> bool:
        """Tell whether a span has an attribute, or a reference to its content."""
        return name in span.attributes or semconv.REF + name in span.attributes

    def has_ended(self, command: Span) -> bool:
        """Tell whether it is known how a command ended."""
        return bool({semconv.PROCESS_EXIT_CODE, semconv.COMMAND_SIGNAL} & command.attributes.keys())

    def actor(self, change: Event) -> str:
        """Return who made a change: `human`, `background` or `unknown`."""
        return str(change.attributes.get(semconv.EXTERNAL_CHANGE_ACTOR, "unknown"))

    def case_count(self, run: Span) -> int:
        """Return how many cases a test run had, named or not."""
        counts = [
            value
            for name, value in run.attributes.items()
            if name.startswith(semconv.TEST_COUNT) and isinstance(value, int)
        ]
        return sum(counts) or sum(event.name == semconv.TEST_CASE for event in run.events)

    def failed(self, run: Span) -> bool:
        """Tell whether a test run failed."""
        return run.attributes.get(semconv.TEST_RUN_STATUS) in {"failure", "aborted", "timed_out"}

    @cached_property
    def told_test_runs(self) -> list[Span]:
        """The runs of tests of which it is known how they ended."""
        return [run for run in self.test_runs if run.attributes.get(semconv.TEST_RUN_STATUS)]

    @cached_property
    def last_test_run(self) -> Span | None:
        """The run of tests that ended last."""
        return self.test_runs[-1] if self.test_runs else None

    def changed_after(self, run: Span) -> bool:
        """Tell whether the workspace was changed after a run of tests."""
        return any(edit.end > run.end for edit in self.edits if edit.span_id != run.parent_id)

    @cached_property
    def failures(self) -> list[Span]:
        """What failed before the session's end: test runs, then commands, then tool calls."""
        runs = [run for run in self.test_runs if self.failed(run)]
        commands = [span for span in self.commands if semconv.ERROR_TYPE in span.attributes]
        tools = [span for span in self.tools if span.attributes.get(semconv.TOOL_IS_ERROR)]
        return [*runs, *commands, *tools]

    # --- why something is not there ---------------------------------------------------------------

    @cached_property
    def lacks(self) -> frozenset[str]:
        """The facts that the source of an imported trace does not tell."""
        told = self.root.attributes.get(semconv.IMPORT_MISSING, ())
        return frozenset(map(str, told)) if isinstance(told, list | tuple) else frozenset()

    @property
    def is_imported(self) -> bool:
        """Whether a transcript is all that is known of the session."""
        return self.root.attributes.get(semconv.ORIGIN) == "imported" or bool(self.lacks)

    @cached_property
    def checks_missing(self) -> str:
        """Why it is not known which tests ran; "" where it is."""
        if self.is_imported:
            return "test runs are not read out of a transcript"
        return self.commands_missing

    @cached_property
    def commands_missing(self) -> str:
        """Why commands were not recorded; "" where they were."""
        if "commands" in self.lacks:
            return UNTOLD
        unhooked = self.root.attributes.get(semconv.SHELL_UNHOOKED)
        if isinstance(unhooked, list | tuple) and unhooked:
            some = self.root.attributes.get(semconv.SHELL_HOOKS)
            what = "not all shells were reached" if some else "shell commands were not recorded"
            return f"{what}: {_lines(unhooked)}"
        if not self.holds(self.root, semconv.SHELL_HOOKS):
            return (
                "shell commands were not recorded: `--no-shell`, an older version, "
                "or what `traceproof doctor` says"
            )
        return ""

    @cached_property
    def snapshots_missing(self) -> str:
        """Why it is not known what changed in the workspace; "" where it is."""
        if "workspace" in self.lacks:
            return UNTOLD
        if self.holds(self.root, semconv.TREE_START):
            return ""
        problem = self.root.attributes.get(semconv.SNAPSHOT_PROBLEM)
        return "the workspace was not recorded" + (f": {_lines(problem)}" if problem else "")


def spans_of(pairs: list[tuple[Span, Event]]) -> Iterator[str]:
    """Yield the ids of the spans of events."""
    return (span.span_id for span, _ in pairs)


def _plain_name(span: Span) -> str:
    return str(span.attributes.get(semconv.TOOL_NAME, "")).lower().replace("_", "").replace("-", "")


def _is_part(run: Span) -> bool:
    """Tell whether a span holds no run, but further cases of one."""
    return semconv.TEST_PART in run.attributes


def _lines(value: AttributeValue) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _is_change(event: Event) -> bool:
    return event.name == semconv.SNAPSHOT_EVENT and bool(
        event.attributes.get(semconv.SNAPSHOT_FILES)
    )
