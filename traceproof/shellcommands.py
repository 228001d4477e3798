"""What a machine said, as objects: the shell commands of an agent, and the test runs within them.

Views of spans, as in `traceproof.turns`: output is read from the file when it is asked for.
"""

from __future__ import annotations

from typing import Any

import msgspec

from traceproof import commandfacts, spanfacts
from traceproof.recorder import semconv
from traceproof.recorder.span import Span
from traceproof.spanobjects import Source, Timed


class Command(Timed):
    """A shell command that ran, from the start of its shell to its end."""

    @property
    def executable(self) -> str:
        """The shell's name, `bash` for instance."""
        return self.text_of(semconv.PROCESS_EXECUTABLE_NAME)

    @property
    def args(self) -> list[str]:
        """The arguments it was started with, its own name first."""
        return commandfacts.args_of(self.get(semconv.PROCESS_COMMAND_ARGS))

    @property
    def script(self) -> str:
        """The text it was given to run, with what the agent put around it; "" if none."""
        return str(self.get(semconv.COMMAND_SCRIPT) or "")

    @property
    def cwd(self) -> str:
        """The folder it was started in."""
        return self.text_of(semconv.PROCESS_WORKING_DIRECTORY)

    @property
    def exit_code(self) -> int | None:
        """Its exit code; None where a signal ended it, or where its end is not known."""
        code = self.own.attributes.get(semconv.PROCESS_EXIT_CODE)
        return code if isinstance(code, int) else None

    @property
    def signal(self) -> str:
        """The signal that ended it (`SIGKILL`), or ""."""
        return self.text_of(semconv.COMMAND_SIGNAL)

    @property
    def stdout(self) -> str | None:
        """What it wrote there; None where that was not read, or is one with stderr."""
        return commandfacts.text_of(self.get(semconv.COMMAND_STDOUT))

    @property
    def stderr(self) -> str | None:
        """What it wrote there; None where that was not read, or is one with stdout."""
        return commandfacts.text_of(self.get(semconv.COMMAND_STDERR))

    @property
    def output(self) -> str | None:
        """All that it wrote, where both streams were one (`merged`); else None."""
        return commandfacts.text_of(self.get(semconv.COMMAND_OUTPUT))

    @property
    def merged(self) -> bool:
        """Whether its stdout and stderr were the same open file."""
        return bool(self.own.attributes.get(semconv.COMMAND_MERGED))

    @property
    def outlived(self) -> bool:
        """Whether something that it started went on after it."""
        return bool(self.own.attributes.get(semconv.COMMAND_OUTLIVED))

    @property
    def by(self) -> str:
        """Say `tool` where a tool call asked for it, `agent` where the agent did for itself."""
        return self.text_of(semconv.COMMAND_FOR)

    @property
    def join(self) -> str:
        """How its tool call was found: `exact` or `inferred`."""
        return self.text_of(semconv.JOIN)

    @property
    def test_runs(self) -> list[TestRun]:
        """The runs of tests within it."""
        spans = self.source.tree.children(self.span_id, spanfacts.TEST)
        return [TestRun(self.source, span) for span in spans]


class TestCase(msgspec.Struct, frozen=True):
    """One case of a test run: `status` is `passed`, `failed`, `error`, `skipped`, and so on.

    `facts` are its attributes by their full names.
    """

    __test__ = False

    name: str
    status: str
    facts: dict[str, Any] = {}


class TestRun(Timed):
    """A run of tests within a command."""

    __test__ = False

    @property
    def suite(self) -> str:
        """What was run, as far as its name is known."""
        return self.text_of(semconv.TEST_SUITE_NAME)

    @property
    def status(self) -> str:
        """How it ended: `success`, `failure`, `skipped`, `aborted`, `timed_out`, or ""."""
        return self.text_of(semconv.TEST_RUN_STATUS)

    @property
    def cases(self) -> list[TestCase]:
        """Its cases, as far as they are known."""
        further = self.source.tree.children(self.span_id, spanfacts.TEST)
        return [
            TestCase(name, status, dict(facts))
            for span in (self.own, *further)
            for name, status, facts in commandfacts.cases(span)
        ]

    @property
    def counts(self) -> dict[str, int]:
        """How many cases ended in which way; more than are named, with some tools."""
        return {
            name.removeprefix(semconv.TEST_COUNT): count
            for name, count in self.own.attributes.items()
            if name.startswith(semconv.TEST_COUNT) and isinstance(count, int)
        }

    @property
    def learned_from(self) -> str:
        """How its results are known: `plugin`, `output`, or `exit_code` alone."""
        return self.text_of(semconv.TEST_SOURCE)


def commands_under(source: Source, span_id: str) -> list[Command]:
    """Return the commands right under a span, in order of time."""
    spans: list[Span] = source.tree.children(span_id, spanfacts.COMMAND)
    return [Command(source, span) for span in spans]
