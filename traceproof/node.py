"""A line of a trace's tree: what `show` draws and `show --json` prints."""

from __future__ import annotations

import msgspec

from traceproof.spanfacts import Tokens


class Ran(msgspec.Struct, omit_defaults=True):
    """How a shell command ran.

    `by` is `tool` or `agent` (for itself), "" while that is not settled, and `join` how the tool
    call was found. Of its output, `output` is both streams where they were one; what was not read
    is None, bytes that are no UTF-8 are replaced. `background` says that it went on after its call,
    or that something it started did.
    """

    args: list[str] = []
    cwd: str = ""
    exit_code: int | None = None
    signal: str = ""
    by: str = ""
    join: str = ""
    stdout: str | None = None
    stderr: str | None = None
    output: str | None = None
    merged: bool = False
    background: bool = False


class Node(msgspec.Struct, omit_defaults=True):
    """One line of the tree.

    `kind` is `agent`, `task`, `prompt`, `interruption`, `slash_command`, `queued`, `taken_back`,
    `compaction`, `consent`, `change`, `turn`, `side`, `system`, `tools`, `tool`, `mcp`, `command`,
    `test`, `server`, `http` or `diff`. Times are seconds: `at` since the trace began, `duration`
    None while it has not ended. `detail` is what a turn said, what a tool was given, what a command
    ran, which tests failed or what changed, `result` what the tool answered or how the tests went,
    `cases` the cases of a test run, `approval` how a tool call was allowed, if that is known, and
    `approved_by` how it is known. `cost` is in US dollars, None where the price is not known.
    `notes` say what a reader must not overlook: retries, cuts, errors, guesses.
    `cut` names the texts of which only the beginning is here: `title`, `detail`, `result`, ….
    """

    kind: str
    span_id: str
    title: str
    at: float = 0.0
    duration: float | None = None
    state: str = ""
    detail: str = ""
    result: str = ""
    tokens: Tokens | None = None
    cost: float | None = None
    ran: Ran | None = None
    approval: str = ""
    approved_by: str = ""
    cases: list[str] = []
    notes: list[str] = []
    cut: list[str] = []
    children: list[Node] = []
