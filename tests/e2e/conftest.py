"""Real agents under `traceproof record`, against a scripted model; what they left is read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest

from traceproof.commands.show import load
from traceproof.proxy import encodings
from traceproof.proxy.testing import Call, Scene, Script, ScriptedModel, Turn, scenarios
from traceproof.proxy.testing.faults import AnyFault
from traceproof.proxy.testing.script import Turns
from traceproof.recorder import semconv
from traceproof.recorder.fragments import FRAGMENTS
from traceproof.recorder.reader import Record, TraceReader
from traceproof.recorder.redaction import Mask
from traceproof.recorder.span import Span
from traceproof.recorder.store import SUFFIX, Store
from traceproof.view import View

PATIENCE = 40
HOSTS = ("api.anthropic.com", "api.openai.com")
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
AIDER_QUIET = tuple(
    f"--no-{name}"
    for name in (
        "fancy-input",
        "pretty",
        "check-update",
        "gitignore",
        "show-release-notes",
        "show-model-warnings",
    )
)
BODIES = {"request": semconv.REQUEST_BODY, "response": semconv.RESPONSE_BODY}

Ended = subprocess.CompletedProcess
Hiding = Callable[[bytes], bytes]


def as_is(data: bytes) -> bytes:
    return data


class Trace:
    """A trace file, all of it in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _read(self) -> tuple[list[Record], list[str]]:
        with TraceReader.open(self.path) as reader:
            return list(reader.records(inline=True)), reader.problems

    @property
    def records(self) -> list[Record]:
        return self._read[0]

    @property
    def problems(self) -> list[str]:
        return self._read[1]

    @cached_property
    def view(self) -> View:
        return load(self.path)

    @cached_property
    def spans(self) -> list[Span]:
        """The recorder's spans, by their start."""
        ours = [record.span for record in self.records if not record.from_agent]
        return sorted(ours, key=lambda span: span.start)

    @property
    def root(self) -> Span:
        (root,) = [span for span in self.spans if not span.parent_id]
        return root

    def chats(self, purpose: str = "main") -> list[Span]:
        chats = self._operation("chat")
        return [span for span in chats if span.attributes[semconv.CALL_PURPOSE] == purpose]

    @property
    def tools(self) -> list[Span]:
        return self._operation("execute_tool")

    @property
    def sub_agents(self) -> list[Span]:
        return [span for span in self._operation("invoke_agent") if span.parent_id]

    @property
    def exchanges(self) -> list[Span]:
        """The spans of everything that passed over HTTP, model call or not."""
        return [span for span in self.spans if semconv.HTTP_METHOD in span.attributes]

    def body(self, span: Span, side: str) -> tuple[bytes, list[Mask]]:
        """Return what `traceproof raw` gives, and the masks in it."""
        with TraceReader.open(self.path) as reader:
            stored = next(found for found in reader.spans() if found.span_id == span.span_id)
            reference = stored.attributes.get(semconv.REF + BODIES[side])
            if reference is None:
                return b"", []
            return b"".join(reader.iter_body(str(reference))), reader.masks(str(reference))

    def _operation(self, name: str) -> list[Span]:
        return [s for s in self.spans if s.attributes.get(semconv.OPERATION_NAME) == name]


class Recorded(Trace):
    """A recording that is over: how it ended, what the model saw of it, and its trace."""

    def __init__(self, path: Path, ended: Ended[bytes], calls: list[Call]) -> None:
        super().__init__(path)
        self.ended = ended
        self.calls = calls

    @property
    def model_calls(self) -> list[Call]:
        return [call for call in self.calls if call.wire]

    @property
    def log(self) -> str:
        """What the recorder complained about."""
        path = self.path.with_name(self.path.name.removesuffix(SUFFIX) + ".log")
        return path.read_text() if path.exists() else ""

    @property
    def result(self) -> dict[str, Any]:
        """What Claude Code prints at its end."""
        return json.loads(self.ended.stdout)

    def differences(self, hide: Hiding = as_is) -> list[str]:
        """Return the calls that are not byte for byte in the trace, and what else is in it.

        `hide` puts masks where secrets were, in the bytes that the model got and sent.
        """
        pairs = self.pairs(hide)
        found = [span.span_id for span, _ in pairs]
        strangers = [span for span in self.exchanges if span.span_id not in found]
        missing = [call for call in self.calls if not any(call is known for _, known in pairs)]
        return [f"in the trace alone: {span.name}" for span in strangers] + [
            f"at the model alone: {call.method} {call.target}" for call in missing
        ]

    def pairs(self, hide: Hiding = as_is) -> list[tuple[Span, Call]]:
        """Return each span with the call that has the same bytes."""
        waiting = list(self.calls)
        pairs = []
        for span in self.exchanges:
            call = next((call for call in waiting if self._same(span, call, hide)), None)
            if call is not None:
                waiting.remove(call)
                pairs.append((span, call))
        return pairs

    def _same(self, span: Span, call: Call, hide: Hiding) -> bool:
        path, query = (
            str(span.attributes.get(name, "")) for name in (semconv.URL_PATH, semconv.URL_QUERY)
        )
        target = f"{path}?{query}" if query else path
        told = (span.attributes[semconv.HTTP_METHOD], target)
        told_status = span.attributes.get(semconv.HTTP_STATUS, 0)
        if (*told, told_status) != (call.method, call.target, call.status):
            return False
        decoded = str(span.attributes.get(semconv.BODY_KEPT_DECODED, "")).split(",")
        request, response = call.request_body, call.response_body
        if "response" in decoded:
            response = encodings.decode(coding(call.response_headers), response)[0]
        return self._keeps(span, "request", request, hide) and self._keeps(
            span, "response", response, hide
        )

    def _keeps(self, span: Span, side: str, sent: bytes, hide: Hiding) -> bool:
        """Tell whether a body is what was sent, but for its masks, each where it is listed."""
        kept, masks = self.body(span, side)
        assert kept.count(b"<SECRET:") == len(masks)
        for mask in masks:
            assert kept[mask.offset :].startswith(f"<SECRET:{mask.name}>".encode()), mask
        if any(mask.encoding == FRAGMENTS for mask in masks):
            said = {thing: hide(text.encode()).decode() for thing, text in spoken(sent).items()}
            return spoken(kept) == said
        return kept == hide(sent)


def coding(headers: Sequence[tuple[str, str]]) -> str:
    return dict(headers).get("content-encoding", "")


def spoken(stream: bytes) -> dict[str, str]:
    """Put a model's stream together: all texts of one kind in one block, one after another."""
    texts: defaultdict[str, str] = defaultdict(str)
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            event = json.loads(line[6:])
            for choice in event.get("choices", [event]):
                for kind, text in choice.get("delta", {}).items():
                    texts[f"{choice.get('index')} {kind}"] += str(text)
    return texts


class Stage:
    """A git repository to work in, with a store of its own, and an environment of fakes alone."""

    def __init__(self, folder: Path, env: dict[str, str], agents: Callable[[str], Path]) -> None:
        self.workdir = folder / "work"
        self.env = env
        self.store = self.workdir / ".traceproof"
        self._agents = agents
        self._started: list[subprocess.Popen] = []
        self.workdir.mkdir()
        (self.workdir / "README").write_text("A place to work in.\n")
        name = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        for words in (["init", "-q", "-b", "main"], ["add", "."], [*name, "commit", "-qm", "one"]):
            self.run("git", *words, check=True)

    def run(self, *command: str | Path, check: bool = False, **more: Any) -> Ended[bytes]:
        """Run a command in the work folder."""
        return subprocess.run(
            command,
            cwd=self.workdir,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=check,
            **more,
        )

    def traceproof(self, *arguments: str | Path) -> Ended[bytes]:
        """Run a command of traceproof."""
        return self.run(*TRACEPROOF, *arguments)

    def start(self, model: ScriptedModel, *command: str | Path, **more: Any) -> subprocess.Popen:
        """Start a recording; `options` go before the agent's command, `before` before all."""
        options = [option for host in HOSTS for option in ("--route", f"{host}={model.url}")]
        process = subprocess.Popen(
            [
                *more.pop("before", ()),
                *TRACEPROOF,
                "record",
                *options,
                *more.pop("options", ()),
                "--",
                *command,
            ],
            cwd=more.pop("cwd", self.workdir),
            env=self.env,
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=more.pop("stderr", subprocess.PIPE),
            start_new_session=True,
            **more,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End the recordings that a failed test left behind, and their agents."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def record(
        self, script: Script | Turns, *command: str | Path, options: Sequence[str] = ()
    ) -> Recorded:
        """Record a command from its start to its end."""
        before = set(self.traces())
        with ScriptedModel(script) as model:
            ended = self.finish(self.start(model, *command, options=options))
        (path,) = set(self.traces()) - before
        return Recorded(path, ended, model.calls)

    def finish(self, process: subprocess.Popen) -> Ended[bytes]:
        """Wait for a recording to end."""
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return Ended(process.args, process.returncode, stdout, stderr)

    def traces(self) -> list[Path]:
        return Store(self.store).paths()

    def trace(self) -> Trace:
        """Return the only trace there is."""
        (path,) = self.traces()
        return self.read(path)

    def read(self, path: Path) -> Trace:
        return Trace(path)

    def claude(self, *prompt: str, **more: str) -> list[str | Path]:
        """Return a command line of Claude Code; `more` are further options."""
        options = {"output-format": "json", "allowedTools": "Bash Write Read Edit", **more}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        prompts = prompt or ("Fix the bug.",)
        model = ("--model", "claude-sonnet-4-5")
        return [self._agents("claude"), "-p", *words, *model, "--", *prompts]

    def hello(self, faults: Sequence[Sequence[AnyFault]]) -> Script:
        """Return `scenarios.aider_hello` with faults for each of its three turns."""
        commit, main = scenarios.aider_hello().scenes
        assert not callable(main.turns)
        turns = [
            msgspec.structs.replace(turn, faults=found)
            for turn, found in zip(main.turns, faults, strict=True)
            if isinstance(turn, Turn)
        ]
        return Script([commit, Scene(turns, name="main")])

    def aider(self, *options: str, message: str = "Write hello.py.") -> list[str | Path]:
        """Return a command line of Aider."""
        prices = Path(self.env["HOME"], ".aider/caches/model_prices_and_context_window.json")
        prices.parent.mkdir(parents=True, exist_ok=True)
        prices.write_text('{"sample_spec": {}}')  # else it asks the network
        return [
            self._agents("aider"),
            "--model",
            "openai/gpt-4o",
            *AIDER_QUIET,
            "--analytics-disable",
            *options,
            "--message",
            message,
        ]


@pytest.fixture(name="spoken")
def spoken_fixture() -> Callable[[bytes], dict[str, str]]:
    """Put a model's stream together."""
    return spoken


@pytest.fixture
def stage(
    tmp_path: Path, agent_env: Callable[[Path], dict[str, str]], request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """A place where agents are recorded."""
    opened = Stage(tmp_path, agent_env(tmp_path), request.getfixturevalue)
    yield opened
    opened.close()
