"""The MCP servers of one recording: what the proxy reads for them, and what the agent is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceproof.mcpservers import McpServers
from traceproof.network import More, Network, open_network
from traceproof.proxy.exchange import Discard
from traceproof.proxy.mcp import Address
from traceproof.proxy.routes import Origin
from traceproof.recorder import semconv
from traceproof.recorder.mcp.calls import McpCalls
from traceproof.recorder.mcp.peer import McpContext
from traceproof.recorder.reader import TraceReader
from traceproof.recorder.redaction import Redactor
from traceproof.recorder.span import Span
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.recorder.writer import TraceWriter
from traceproof.secretsources import new_redactor
from traceproof.settings import Settings

LOCAL = Origin("http", "127.0.0.1", 8931)
SAY = "import os; print('hello', os.environ.get('SET_BY_US', ''))"
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}\n'


class Story:
    """A recording's MCP servers, found in a configuration of Claude Code."""

    def __init__(self, folder: Path, servers: dict[str, Any], **more: Any) -> None:
        home = folder / "home"
        home.mkdir()
        (folder / ".git").mkdir()
        (home / ".claude.json").write_text(json.dumps({"mcpServers": servers}))
        self.redactor = Redactor()
        self.path = folder / "t.otlp.jsonl.zst"
        self.writer = TraceWriter(self.path, resource={}, mask=self.redactor.mask)
        self.calls = McpCalls(self.writer, Span("1" * 32, "a" * 16, "invoke_agent"))
        self.settings = Settings(
            ("claude", "-p", "hi"),
            folder,
            {"HOME": str(home), "PATH": str(Path(sys.executable).parent)},
            Store(folder / "store"),
            Task(),
            **more,
        )
        context = McpContext(self.post, self.calls, self.writer, self.redactor)
        self.servers = McpServers(self.settings, context)
        self.network: Network | None = None

    def post(self, action: Callable[[], None], *, at_once: bool = False) -> None:
        assert not at_once
        action()

    def open(self) -> dict[str, Any]:
        """Begin, and return the servers that the agent is told of."""
        self.network = open_network(self.settings, Discard(), self.servers.more)
        self.servers.open(self.network)
        self.servers.ready(0)
        (path,) = [word for word in self.servers.command if word.startswith("--mcp-config=")]
        told: dict[str, Any] = json.loads(Path(path.partition("=")[2]).read_bytes())
        return told["mcpServers"]

    def close(self) -> None:
        self.servers.close()
        if self.network is not None:
            self.network.server.stop(0)
        self.writer.close()

    def spans(self) -> list[Span]:
        self.servers.close()
        self.calls.close(10**18)
        self.close()
        with TraceReader.open(self.path) as reader:
            return [record.span for record in reader.records(inline=True)]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """Tell a story; it is closed after the test."""
    stories: list[Story] = []

    def tell(servers: dict[str, Any], **more: Any) -> Story:
        stories.append(Story(tmp_path, servers, **more))
        return stories[-1]

    yield tell
    for story in stories:
        story.close()


Telling = Callable[..., Story]
WEB = {
    "here": {"type": "http", "url": "http://127.0.0.1:8931/mcp?a=1"},
    "there": {"type": "http", "url": "https://mcp.example.com/mcp"},
    "named": {"type": "http", "url": "https://${SERVER:-other.example.com}/mcp"},
    "later": {"type": "http", "url": "${WHERE}/mcp"},
}


def test_what_the_proxy_reads_for_servers_over_http(told: Telling) -> None:
    story = told(WEB)

    assert story.servers.more == More(("mcp.example.com", "other.example.com"), (LOCAL,))
    assert story.servers.names == {
        Address("127.0.0.1", 8931, "/mcp?a=1"): "here",
        Address("mcp.example.com", 443, "/mcp"): "there",
        Address("other.example.com", 443, "/mcp"): "named",
    }


def test_in_reverse_mode_it_stands_in_for_all_of_them(told: Telling) -> None:
    story = told(WEB, mode="reverse")

    remote = [Origin("https", f"{name}.example.com", 443) for name in ("mcp", "other")]
    assert story.servers.more == More((), (LOCAL, *remote))


def test_a_server_on_this_machine_is_reached_through_us(told: Telling) -> None:
    story = told(WEB)

    servers = story.open()

    assert story.network
    assert list(servers) == ["here"]
    assert servers["here"]["url"] == f"{story.network.bases[LOCAL]}/mcp?a=1"
    assert story.servers.variables == {}


def test_a_server_over_stdio_is_started_behind_the_tee(told: Telling) -> None:
    story = told({"sums": {"command": "python", "args": ["-c", SAY]}})
    server = story.open()["sums"]

    ended = subprocess.run(
        [server["command"], *server["args"]],
        input=CALL,
        capture_output=True,
        env=dict(story.settings.environment),
        check=True,
        timeout=30,
    )

    assert ended.stdout == b"hello \n"
    call, found = sorted(story.spans(), key=lambda span: span.name)
    assert (call.name, found.name) == ("execute_tool add", "mcp sums")
    assert found.attributes[semconv.PROCESS_COMMAND_ARGS] == ["python", "-c", SAY]
    assert found.attributes[semconv.PROCESS_EXIT_CODE] == 0
    assert found.attributes[semconv.MCP_STATE] == "ended"


def test_nothing_is_left_behind(told: Telling) -> None:
    story = told({"sums": {"command": "python"}})
    server = story.open()["sums"]
    tee = Path(server["args"][2])
    assert tee.exists()

    story.close()

    assert not tee.parent.exists()


def test_what_servers_are_given_is_masked(told: Telling) -> None:
    secret = "token-of-a-server-0123456789"
    story = told({"sums": {"command": "python", "env": {"SUMS_TOKEN": secret}}})

    redactor = new_redactor(story.settings)
    assert redactor.mask(secret.encode()).data == b"<SECRET:SUMS_TOKEN>"


def test_without_servers_nothing_is_opened(told: Telling) -> None:
    story = told({})
    story.network = open_network(story.settings, Discard(), story.servers.more)
    story.servers.open(story.network)
    story.servers.ready(0)

    assert story.servers.more == More()
    assert story.servers.command == ("claude", "-p", "hi")
    assert (story.servers.notes, story.servers.originals) == ([], {})
