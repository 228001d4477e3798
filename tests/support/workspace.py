"""A workspace under observation: steps are played, and what git says of each is the truth."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.calls import CallRequest, MessageNote, ToolRequest
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Event, Span, new_span_id, new_trace_id
from traceproof.recorder.toolcalls import Asker, OpenTool
from traceproof.recorder.workspace.lookout import Place
from traceproof.recorder.workspace.watch import Watcher
from traceproof.recorder.writer import TraceWriter

Change = Callable[[], Any]


def environment(home: Path) -> dict[str, str]:
    """The whole environment of git in tests."""
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b.example",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b.example",
    }


class Project:
    """A folder to work in, with git or without."""

    def __init__(self, folder: Path, *, repository: bool = True, branch: str = "main") -> None:
        self.folder = folder
        self.home = folder.parent / "home"
        self.environment = environment(self.home)
        folder.mkdir(parents=True)
        if repository:
            self.git("init", "-q", "-b", branch)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        ended = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=cwd or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        return os.fsdecode(ended.stdout).strip()

    def write(self, name: str | bytes, data: bytes | str = b"x\n") -> Path:
        path = self.folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "c")
        return self.git("rev-parse", "HEAD")

    def tree(self, *arguments: str) -> str:
        """Return the tree hash that git gives the folder, by an index and objects of its own."""
        private = self.folder.parent / "truth.git"
        env = {**self.environment, "GIT_DIR": str(private), "GIT_WORK_TREE": str(self.folder)}
        if not private.exists():
            plain = {**self.environment}
            subprocess.run(["git", "init", "-q", "--bare", str(private)], env=plain, check=True)
            (private / "info").mkdir(exist_ok=True)
            (private / "info" / "attributes").write_text("* -text -ident -filter\n")
        index = private / "index"
        index.unlink(missing_ok=True)
        for command in (["add", "-A", *arguments, "."], ["write-tree"]):
            ended = subprocess.run(
                ["git", "-c", "core.bare=false", *command],
                cwd=self.folder, env=env, capture_output=True, check=True,
            )  # fmt: skip
        return ended.stdout.decode().strip()

    def private(self) -> dict[str, tuple[int, int, str]]:
        """Return all that is in the `.git`: kinds, times and contents."""
        return dict(_contents(self.folder / ".git"))


def _contents(folder: Path) -> Iterator[tuple[str, tuple[int, int, str]]]:
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        yield str(path), (status.st_mode, status.st_mtime_ns, hashlib.sha256(data).hexdigest())


class Observed:
    """A session in a project, played step by step; `close` ends the trace."""

    def __init__(
        self,
        project: Project,
        *,
        secrets: dict[str, str] | None = None,
        store: Path | None = None,
        ignored: bool = False,
        **options: Any,
    ) -> None:
        self.project = project
        self.path = project.folder.parent / f"{new_span_id()}.otlp.jsonl.zst"
        self.redactor = Redactor()
        self.redactor.add_all((secrets or {}).items())
        resource = {"service.name": "traceproof", semconv.SOURCE: "recorder"}
        self.writer = TraceWriter(self.path, resource=resource, mask=self.redactor.mask)
        self.store = store or project.folder.parent / "store"
        place = Place(project.folder, project.environment, self.store, ignored=ignored)
        self.ended: list[Span] = []
        """The commands that have ended, and are not written."""
        self.steps = Watcher(place, self.writer, **options)
        self.root = Span(new_trace_id(), new_span_id(), "invoke_agent test", start=time.time_ns())
        self.root.attributes[semconv.OPERATION_NAME] = "invoke_agent"
        self.steps.begin(self.root, lambda: self.writer.pending(self.root))
        self.asks()

    def asks(self, prompt: str = "") -> None:
        """Let the agent ask its model."""
        note = MessageNote("0" * 64, "user", prompt=prompt)
        self.steps.model_asked(CallRequest(time.time_ns(), "m", {}, [note]))
        self.write_commands()

    def call(self, name: str = "Bash", arguments: dict[str, Any] | None = None) -> OpenTool:
        """Make a tool call that nobody has answered yet."""
        text = msgspec.json.encode(arguments or {}).decode()
        span = Span(
            self.root.trace_id, new_span_id(), f"execute_tool {name}", parent_id=self.root.span_id,
            start=time.time_ns(), attributes={semconv.OPERATION_NAME: "execute_tool"},
        )  # fmt: skip
        request = ToolRequest(span.span_id, name, text)
        return OpenTool(span, request, "", Asker("", self.root.span_id))

    def answers(self, *tools: OpenTool) -> None:
        """Let the model answer with these calls."""
        self.steps.answered(list(tools), time.time_ns())
        self.write_commands()

    def ends(self, *tools: OpenTool) -> None:
        """Let the agent send the results of these calls."""
        self.asks()
        for tool in tools:
            self.steps.tool_ended(tool)
            tool.span.end = time.time_ns()
            self.writer.span(tool.span)

    def write_commands(self) -> None:
        """Write the commands that have ended, and of which all is told."""
        for span in list(self.ended):
            if self.steps.command_told(span):
                self.ended.remove(span)
                self.writer.span(span)

    def step(self, change: Change, name: str = "Bash", **arguments: Any) -> OpenTool:
        """Play one tool call that makes a change."""
        tool = self.call(name, arguments)
        self.answers(tool)
        settle()
        change()
        self.ends(tool)
        return tool

    def close(self) -> Path:
        self.steps.close(self.root)
        self.write_commands()
        assert not self.ended
        self.root.end = time.time_ns()
        self.writer.span(self.root)
        assert self.writer.close()
        return self.path


def settle() -> None:
    """Wait until the disk's clock, which goes in steps, has gone on by two at least."""
    time.sleep(0.025)


def events(span: Span) -> list[Event]:
    """Return what a span did to the workspace."""
    names = (semconv.SNAPSHOT_EVENT, semconv.EXTERNAL_CHANGE_EVENT)
    return [event for event in span.events if event.name in names]


def paths(event: Event) -> list[str]:
    """Return what an event says of paths."""
    found = event.attributes.get(semconv.SNAPSHOT_PATHS, [])
    assert isinstance(found, list)
    return [str(path) for path in found]


def read(path: Path) -> TraceReader:
    """Open a trace."""
    return TraceReader.open(path)
