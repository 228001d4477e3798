"""Claude Code's sessions: `~/.claude/projects/<project>/<session>.jsonl`, and its sub-agents'.

Seen with 2.1.197. Each content block of an answer is a line of its own, under the answer's
`message.id`; each tool result is a user's line; `parentUuid` says what a line goes on from.
Sub-agents have files of their own, `<session>/subagents/agent-<id>.jsonl`, in older versions beside
the session's or as `isSidechain` lines in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceproof.imports import claude_facts, texts
from traceproof.imports.claude_answers import Answers
from traceproof.imports.claude_threads import Sidechains, Threads
from traceproof.imports.clock import from_iso
from traceproof.imports.events import Event, Forgot, Happened, Known, Said, Started
from traceproof.imports.files import TranscriptFile
from traceproof.imports.missing import Fact
from traceproof.proxy.dialects import wire
from traceproof.proxy.dialects.anthropic import AnthropicMessages
from traceproof.recorder import humanevents, messages, semconv
from traceproof.recorder.agents.claude_code import ClaudeCode as Adapter
from traceproof.recorder.messages import Message

_SILENT = frozenset(
    {
        "agent-color", "agent-name", "agent-setting", "ai-title", "attribution-snapshot",
        "bridge-session", "content-replacement", "custom-title", "ended-by-model",
        "file-history-snapshot", "frame-link", "isolation-latch", "last-prompt", "mode",
        "permission-mode", "pr-link", "progress", "relocated", "speculation-accept", "summary",
        "tag", "worktree-state",
    }
)  # fmt: skip
"""Kinds of line that say nothing of what a trace holds."""

_FACTS = {
    semconv.AGENT_VERSION: "version",
    semconv.CONVERSATION_ID: "sessionId",
    semconv.PROCESS_WORKING_DIRECTORY: "cwd",
    semconv.VCS_BRANCH: "gitBranch",
}
_QUEUE = {"enqueue": humanevents.QUEUED, "popAll": humanevents.UNQUEUED}
"""What a person did with the queue. `remove` is also said when the agent takes a prompt out of it,
which is then in an attachment."""

_DIALECT = AnthropicMessages()
_ADAPTER = Adapter()
_SUB_AGENT = "agent-*.jsonl"


class ClaudeCode:
    """Claude Code's transcripts."""

    name = "claude-code"
    agent = "claude-code"
    lacks = frozenset(
        {Fact.SYSTEM_PROMPT, Fact.TOOL_DEFINITIONS, Fact.SIDE_CALLS, Fact.FINAL_DIFF}
        | {Fact.AGENT_EXIT_CODE, Fact.COMMANDS, Fact.RESULTS_AS_SENT}
    )

    def matches(self, file: TranscriptFile) -> bool:
        """Tell them by the session's id, or by the leaf of a summary."""
        return any(
            isinstance(line.get("sessionId"), str) or "leafUuid" in line for line in file.first
        )

    def others(self, file: TranscriptFile) -> Sequence[Path]:
        """Return the sub-agents' files: in the session's folder, or beside it and of the session.

        A sub-agent's file by itself has none.
        """
        path = file.path
        folder = path.with_suffix("") / "subagents"
        if path.name.startswith("agent-"):
            return ()
        found = sorted(folder.glob(f"**/{_SUB_AGENT}")) if folder.is_dir() else []
        beside = [other for other in sorted(path.parent.glob(_SUB_AGENT)) if other.is_file()]
        return [*found, *(other for other in beside if claude_facts.session(other) == path.stem)]

    def owner(self, path: Path) -> Path | None:
        """Return the session's file: of the folder's name, or the one that a file beside it names.

        That of a session that is not there is none.
        """
        if not path.name.startswith("agent-") or path.suffix != ".jsonl":
            return None
        folders = (folder for folder in path.parents if folder.name == "subagents")
        above = next((folder.parent.with_suffix(".jsonl") for folder in folders), None)
        owner = above or path.with_name(f"{claude_facts.session(path) or '?'}.jsonl")
        return owner if owner.is_file() else None

    def kept(self, environment: Mapping[str, str], session: str) -> Sequence[Path]:
        """Return a session's file in the folder that the environment tells."""
        home = Path(environment.get("HOME") or "/")
        folder = Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
        return sorted(folder.glob(f"projects/*/{session}.jsonl"))

    def read(self, file: TranscriptFile, others: Sequence[TranscriptFile]) -> Iterator[Event]:
        """Yield the main session, then its sub-agents, then theirs."""
        main = _Session(file)
        yield from main.events()
        launched = main.launched
        told = [(claude_facts.sub_agent(other), other) for other in others]
        for facts, other in sorted(told, key=lambda pair: pair[0].depth):
            agent_id = facts.agent_id or _file_of(other)
            call_id = facts.call_id or launched.get(agent_id, "")
            yield Started(agent_id, facts.name or "sub-agent", call_id)
            session = _Session(other, agent_id, main.modes)
            yield from session.events()
            launched |= session.launched
        known = {facts.agent_id or _file_of(other) for facts, other in told} | main.asides
        if launched.keys() - known:
            file.notes.add("a sub-agent's file is not there")
            yield Known(lacks=frozenset({Fact.SUB_AGENTS}))


class _Session:
    """One file, line by line."""

    def __init__(
        self, file: TranscriptFile, agent_id: str = "", modes: tuple[str, str] = ("", "")
    ) -> None:
        self.modes = modes
        """The permission mode, and what it says of a call; sub-agents have their parents'."""
        self.launched: dict[str, str] = {}
        """Sub-agent → the call whose result names it."""
        self._file = file
        self._agent_id = agent_id
        self._answers: dict[str, Answers] = {}
        self._threads: dict[str, Threads] = {}
        self._seen: set[str] = set()
        self._sidechains = Sidechains()
        self._knows_agent = bool(agent_id)
        self._alone = any(line.get("isSidechain") for line in file.first[:1])
        """A sub-agent's file by itself: its agent is the main one then."""

    @property
    def asides(self) -> set[str]:
        """The sub-agents whose lines stand among the others."""
        return self._answers.keys() - {self._agent_id}

    def events(self) -> Iterator[Event]:
        """Yield what the lines tell."""
        for line in self._file.records():
            told, main = self._line(line), self._answers.get(self._agent_id)
            yield from main.hold(told) if main and self._is_aside(line) else told
        for answers in self._answers.values():
            yield from answers.finish()

    def _line(self, line: dict[str, Any]) -> Iterator[Event]:
        kind, uuid = wire.text(line.get("type")), wire.text(line.get("uuid"))
        if uuid in self._seen:
            self._file.notes.add("a line is there twice")
            return
        if uuid:
            self._seen.add(uuid)
        yield from self._facts(line)
        yield from self._started(line)
        match kind:
            case "assistant":
                yield from self._assistant(line, uuid)
            case "user" | "attachment":
                yield from self._user(line, uuid)
            case "system":
                yield from self._system(line, uuid)
            case "queue-operation":
                yield from self._queued(line)
            case _ if kind in _SILENT:
                self._of(line)[1].add(uuid)
            case _:
                self._file.notes.add(f"a line of unknown kind {wire.brief(kind)}")
                self._of(line)[1].add(uuid)

    def _facts(self, line: dict[str, Any]) -> Iterator[Event]:
        """Tell who this is, once."""
        if self._knows_agent or not isinstance(line.get("version"), str):
            return
        self._knows_agent = True
        told = {name: wire.text(line.get(key)) for name, key in _FACTS.items()}
        yield Known(attributes={name: value for name, value in told.items() if value})

    def _is_aside(self, line: dict[str, Any]) -> bool:
        """Tell a sub-agent's line; older versions put them among the others."""
        return bool(not self._agent_id and line.get("isSidechain") and not self._alone)

    def _started(self, line: dict[str, Any]) -> Iterator[Event]:
        """Tell a sub-agent's beginning; which call started it, its prompt tells."""
        if not self._is_aside(line) or (agent_id := self._sidechains.of(line)) in self._answers:
            return
        main = self._answers.get("")
        said = "\n\n".join(texts.texts(_DIALECT.message(line.get("message"))))
        call_id, name = main.launch(said) if main else ("", "")
        yield Started(agent_id, name or "sub-agent", call_id, "inferred" if call_id else "")

    def _of(self, line: dict[str, Any]) -> tuple[Answers, Threads]:
        """Return whose a line is."""
        agent_id = self._sidechains.of(line) if self._is_aside(line) else self._agent_id
        if agent_id not in self._answers:
            answers = self._answers[agent_id] = Answers(agent_id, self._file.notes)
            answers.permission_mode, answers.mode = self.modes
            self._threads[agent_id] = Threads(agent_id, self._file.notes)
        return self._answers[agent_id], self._threads[agent_id]

    # --- what is said -----------------------------------------------------------------------------

    def _assistant(self, line: dict[str, Any], uuid: str) -> Iterator[Event]:
        answers, threads = self._of(line)
        yield from answers.piece(line, uuid)
        yield from threads.went_on(line.get("parentUuid"), uuid, answers.key)

    def _user(self, line: dict[str, Any], uuid: str) -> Iterator[Event]:
        answers, threads = self._of(line)
        if line.get("type") == "attachment":
            threads.add(uuid, uuid)
            added = Message("user", [messages.generic("attachment", line.get("attachment"))])
            prompt = claude_facts.queued(line.get("attachment"))
            yield from answers.hold([_said(line, added, answers.agent_id, uuid, prompt)])
            return
        message = _DIALECT.message(line.get("message"))
        if message.role == "tool":
            threads.add(uuid, uuid)
            agent_id, call_id = claude_facts.launched(line, message)
            if agent_id:
                self.launched[agent_id] = call_id
            yield from answers.hold(claude_facts.results(line, message, answers))
            yield from answers.hold([_said(line, message, answers.agent_id, uuid)])
            return
        if line.get("interruptedMessageId"):
            answers.interrupted()
        yield from answers.finish()
        yield from threads.went_on(line.get("parentUuid"), uuid, uuid)
        if line.get("isCompactSummary"):
            yield Forgot(answers.agent_id)
        if not line.get("isMeta"):
            answers.in_mode(line)
            self.modes = answers.permission_mode, answers.mode
        time = from_iso(line.get("timestamp"))
        told = humanevents.read(_prompt(line, message))
        for name, content in told.events:
            yield Happened(name, answers.agent_id, time, content)
        yield _said(line, message, answers.agent_id, uuid, told.prompt)

    # --- lines that are not of the conversation ---------------------------------------------------

    def _system(self, line: dict[str, Any], uuid: str) -> Iterator[Event]:
        answers, threads = self._of(line)
        threads.add(uuid)
        agent_id, time = answers.agent_id, from_iso(line.get("timestamp"))
        kind = line.get("subtype")
        if kind == "compact_boundary":
            yield from answers.finish()
            yield Forgot(agent_id)
            yield Happened(humanevents.COMPACTION, agent_id, time)
        elif kind == "local_command":
            for name, content in humanevents.read(wire.text(line.get("content"))).events:
                yield Happened(name, agent_id, time, content)

    def _queued(self, line: dict[str, Any]) -> Iterator[Event]:
        """Tell a prompt that was typed while the agent was at work.

        The first prompt of `-p` passes through the queue too: nobody has spoken yet then.
        """
        operation, content = wire.text(line.get("operation")), wire.text(line.get("content"))
        name = _QUEUE.get(operation)
        if name and self._threads:
            yield Happened(name, "", from_iso(line.get("timestamp")), content)


def _file_of(file: TranscriptFile) -> str:
    """Return the agent that a file is named after."""
    return file.path.stem.removeprefix("agent-")


def _said(
    line: dict[str, Any], message: Message, agent_id: str, uuid: str, prompt: str = ""
) -> Said:
    return Said(message, agent_id, from_iso(line.get("timestamp")), uuid, prompt)


def _prompt(line: dict[str, Any], message: Message) -> str:
    """Return what stands in the user's name: not what the agent adds, nor a summary."""
    if line.get("isMeta") or line.get("isCompactSummary"):
        return ""
    return texts.prompt(message, _ADAPTER.said_by_user)
