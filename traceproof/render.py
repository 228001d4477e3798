"""Draws a view of a trace: colour on a terminal, plain lines in a pipe.

Text from a trace is other people's: control characters in it never reach the terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text
from rich.tree import Tree

from traceproof.node import Node, Ran
from traceproof.recorder import semconv
from traceproof.spanfacts import Tokens
from traceproof.view import Totals, View

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RULE = re.compile(r"^[-=_*#~]{5,}$", re.MULTILINE)
"""A line that only parts others: it would take all the room there is."""

_BRIEF = 100
_GUIDE = "dim"
_WORDS = {
    "task": "task",
    "prompt": "user",
    "interruption": "interrupted",
    "slash_command": "user to the agent",
    "queued": "user, for later",
    "taken_back": "user, taken back",
    "compaction": "conversation compacted",
    "system": "system prompt",
    "tools": "tools",
    "change": "changed",
    "diff": "final diff",
}
"""What stands before the title of a node."""

_LACKS = {
    semconv.RECORDING_LOST: "lost",
    semconv.SHELL_UNHOOKED: "shells not recorded",
    semconv.SNAPSHOT_PROBLEM: "workspace",
    semconv.VCS_CAP: "not kept of the working tree",
    semconv.IMPORT_PROBLEMS: "transcript",
}
"""The facts that say what a trace lacks; a line of two of them stands where it is first."""

_LACKING = 4
"""Lines of one such fact that are shown at most where not all is."""

_LONG, _LONGER = 240, 10_000

_STYLES = {
    "agent": "bold cyan",
    "task": "bold green",
    "prompt": "bold green",
    "interruption": "bold magenta",
    "slash_command": "bold green",
    "queued": "green",
    "taken_back": "green",
    "compaction": "dim",
    "system": "dim",
    "tools": "dim",
    "diff": "bold",
    "consent": "bold magenta",
    "turn": "bold",
    "side": "dim",
    "tool": "yellow",
    "mcp": "yellow",
    "command": "blue",
    "test": "green",
    "change": "dim",
    "server": "dim",
    "http": "dim",
}


def tree(view: View, *, full: bool = False) -> RenderableType:
    """Draw the whole view.

    `full` shows side calls, other HTTP calls, the agent's own commands, and texts uncut.
    """
    return Group(*parts(view, full=full))


def parts(view: View, *, full: bool = False) -> Iterator[RenderableType]:
    """Draw a view piece by piece: to be printed one after the other, where it may be long."""
    yield _headline(view)
    shown = [node for node in view.root.children if _is_shown(node, full=full)]
    for number, node in enumerate(shown, 1):
        yield _Branch(node, full=full, last=number == len(shown))
    yield from _footer(view, full=full)


class _Branch:
    """One child of the root with all below it, and the root's guides before it."""

    def __init__(self, node: Node, *, full: bool, last: bool) -> None:
        self._node, self._full, self._last = node, full, last

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        guides = Tree.ASCII_GUIDES if options.ascii_only else Tree.TREE_GUIDES[0]
        space, line, fork, end = (str(guide) for guide in guides)
        first, rest = (end, space) if self._last else (fork, line)
        branch = Tree(_label(self._node, full=self._full), guide_style=_GUIDE)
        _grow(branch, self._node, full=self._full)
        narrower = options.update(width=max(1, options.max_width - len(first)), height=None)
        for number, segments in enumerate(console.render_lines(branch, narrower, pad=False)):
            yield Segment(rest if number else first, console.get_style(_GUIDE))
            yield from segments
            yield Segment.line()


class _Console(Console):
    """A console that leaves a broken pipe to the caller."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Return a console that wraps on a terminal and never in a pipe."""
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = 10_000
    return made


def clean(text: str) -> str:
    """Replace control characters, which could rewrite a terminal, by U+FFFD."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def brief(text: str, limit: int = _BRIEF) -> str:
    """Squeeze a text onto one line of at most `limit` characters."""
    line = " ".join(_RULE.sub("", clean(text[: limit * 8])).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def seconds(duration: float | None) -> str:
    """Write a duration as a person would: `12 ms`, `3.4 s`, `2 min 05 s`."""
    if duration is None:
        return ""
    if duration < 1:
        return f"{duration * 1000:.0f} ms"
    if duration < 60:  # noqa: PLR2004 - a minute
        return f"{duration:.1f} s"
    return f"{int(duration) // 60} min {int(duration) % 60:02d} s"


def tokens(counts: Tokens) -> str:
    """Write token counts: `12,345 in (90 % cached) · 67 out`."""
    cached = f" ({counts.cache_read / counts.input:.0%} cached)" if counts.cache_read else ""
    return f"{counts.input:,} in{cached} · {counts.output:,} out"


def dollars(cost: float | None) -> str:
    """Write a cost, or nothing where it is not known."""
    return "" if cost is None else f"${cost:.4f}" if cost < 1 else f"${cost:.2f}"


def totals(summed: Totals) -> str:
    """Write what a trace adds up to."""
    parts = [
        f"{summed.turns} turns",
        f"{summed.tool_calls} tool calls",
        tokens(summed.tokens),
        dollars(summed.cost) or "cost unknown",
    ]
    if summed.commands:
        parts.insert(2, f"{summed.commands} commands")
    if summed.side_calls:
        parts.insert(1, f"{summed.side_calls} side calls")
    if summed.failed_calls:
        parts.insert(1, f"{summed.failed_calls} failed calls")
    return " · ".join(parts)


def _headline(view: View) -> Text:
    facts = view.facts
    name = str(facts.get("gen_ai.agent.name", "agent"))
    version = str(facts.get("gen_ai.agent.version", ""))
    code = facts.get("process.exit.code")
    parts = [
        f"{name} {version}".strip(),
        seconds(view.root.duration) or "still running, or its end was lost",
        "" if code is None else f"exit {code}",
        _repository(view),
        _imported(view),
    ]
    return Text(clean(" · ".join(part for part in parts if part)), style="bold cyan")


def _repository(view: View) -> str:
    revision = str(view.facts.get("vcs.ref.head.revision", ""))[:10]
    branch = str(view.facts.get("vcs.ref.head.name", ""))
    return f"{branch}@{revision}" if revision else ""


def _imported(view: View) -> str:
    source = view.facts.get("traceproof.import.source")
    return f"imported from {source}" if source else ""


def _footer(view: View, *, full: bool) -> Iterator[Text]:
    yield Text(totals(view.totals), style="dim")
    told: set[str] = set()
    for name, what in _LACKS.items():
        value = view.facts.get(name, ())
        lines = [str(line) for line in (value if isinstance(value, list | tuple) else (value,))]
        new = [line for line in dict.fromkeys(lines) if line not in told]
        told.update(new)
        shown = new if full or len(new) <= _LACKING else new[: _LACKING - 1]
        for line in shown:
            yield Text(f"! {what}: {brief(line, _LONGER if full else _LONG)}", style="red")
        if len(shown) < len(new):
            yield Text(f"! {what}: {len(new) - len(shown)} more (--full)", style="red")
    for problem in view.problems:
        yield Text(f"! {clean(problem)}", style="red")


def _grow(branch: Tree, node: Node, *, full: bool) -> None:
    for child in node.children:
        if _is_shown(child, full=full):
            _grow(branch.add(_label(child, full=full)), child, full=full)


_FULL_ONLY = frozenset({"side", "server", "http", "system", "tools"})


def _is_shown(node: Node, *, full: bool) -> bool:
    by_itself = node.ran is not None and node.ran.by == "agent"
    return full or not (by_itself or node.kind in _FULL_ONLY)


def _label(node: Node, *, full: bool) -> RenderableType:
    line = Text(_title(node), style=_STYLES[node.kind], no_wrap=True, overflow="ellipsis")
    if node.ran is not None and (node.ran.exit_code is not None or node.ran.signal):
        failed = node.ran.exit_code != 0
        line.append(f"  {_ending(node.ran)}", style="not bold red" if failed else "not bold dim")
    for part in (
        seconds(node.duration),
        tokens(node.tokens) if node.tokens else "",
        dollars(node.cost) if node.tokens else "",
        *(_marks(node.ran) if node.ran else ()),
        _allowed(node, full=full),
    ):
        if part:
            line.append(f"  {part}", style="not bold dim")
    if node.state == "pending":
        line.append("  pending", style="not bold magenta")
    for note in node.notes:
        told = ("  ", "not bold dim") if node.kind == "test" else ("  ! ", "not bold red")
        line.append(f"{told[0]}{brief(note)}", style=told[1])
    if node.approval == "denied":
        line.append("  ! denied", style="not bold red")
    if full and node.span_id:
        line.append(f"  {node.span_id}", style="not bold dim")
    return _with_detail(line, node, full=full)


def _title(node: Node) -> str:
    if node.kind in _WORDS:
        return f"{_WORDS[node.kind]}  {brief(node.title)}".rstrip()
    title = re.sub(r"[\t\n]", " ", clean(node.title))  # a name of two lines could forge a row
    match node.kind:
        case "consent" | "server":
            return title
        case "tool":
            return f"{title}  {brief(_arguments(node.detail))}".rstrip()
        case "mcp":
            return f"mcp {title}  {brief(_arguments(node.detail))}".rstrip()
        case "command":
            return f"{title} $ {brief(node.detail)}".rstrip()
        case "test":
            return f"test {title}  {brief(node.result)}".rstrip()
    return f"{node.kind} {title}"


def _ending(ran: Ran) -> str:
    return clean(ran.signal) if ran.exit_code is None else f"exit {ran.exit_code}"


def _marks(ran: Ran) -> Iterator[str]:
    """Say what is not plain to see: how a command ran, and how its call was found."""
    if ran.merged:
        yield "merged"
    if ran.background:
        yield "background"
    if ran.by == "agent":
        yield "the agent's own"
    if ran.join == "inferred":
        yield "inferred"


def _allowed(node: Node, *, full: bool) -> str:
    """Say how a call was allowed, where it was not as the rules have it."""
    if not full:
        return node.approval if node.approval in {"granted", "bypassed"} else ""
    by = f" ({brief(node.approved_by)})" if node.approved_by else ""
    return f"{node.approval}{by}" if node.approval else ""


def _arguments(detail: str) -> str:
    """Show a tool's arguments as `name=value`, which reads better than JSON."""
    try:
        decoded = json.loads(detail)
    except ValueError:
        return detail
    if not isinstance(decoded, dict):
        return detail
    return "  ".join(f"{name}={_plain(value)}" for name, value in decoded.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_TITLED = frozenset(
    {"prompt", "interruption", "slash_command", "queued", "taken_back", "compaction"}
)
"""Kinds of node whose title is their text."""


def _with_detail(line: Text, node: Node, *, full: bool) -> RenderableType:
    if full:
        first = "title" if node.kind in _TITLED else "detail"
        texts = [*_whole(node, first), *_whole(node, "result"), *_output(node)]
        return Group(line, *texts)
    told = node.detail if node.kind in {"turn", "side"} else node.result
    if not told or node.kind == "test":
        return line
    style = "" if node.kind == "turn" else "dim"
    return Group(line, Text(brief(told), style=style, no_wrap=True, overflow="ellipsis"))


def _whole(node: Node, name: str) -> Iterator[Text]:
    """Draw one of a node's texts, and say so where it is not all there."""
    text = "\n".join(node.cases) if name == "detail" and node.cases else getattr(node, name)
    yield from _uncut(node, name, text)


def _output(node: Node) -> Iterator[Text]:
    """Draw what a command wrote, each stream under its name."""
    for name in ("stdout", "stderr", "output") if node.ran else ():
        text: str | None = getattr(node.ran, name)
        if text:
            yield Text(f"{name}:", style="dim")
            yield from _uncut(node, name, text.rstrip("\n"))


def _uncut(node: Node, name: str, text: str) -> Iterator[Text]:
    if text:
        yield Text(clean(text))
    if name in node.cut:
        yield Text("[the rest is in the trace]", style="red")
