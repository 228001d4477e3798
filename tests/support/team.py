"""A shared proxy as a process, and agents that speak to it in the styles of several."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

HOST = "api.anthropic.com"
PATIENCE = 20.0
TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
CLAUDE = {"user-agent": "claude-cli/2.1.197 (external, cli)"}
OPENCODE = {"user-agent": "opencode/1.18.33 ai-sdk/provider-utils/4.0.46"}
OPENAI = {"user-agent": "OpenAI/Python 1.99.1"}


class Answer(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes

    @property
    def error(self) -> str:
        """The message of an error that the proxy made."""
        message: str = json.loads(self.body)["error"]["message"]
        return message


class Agent:
    """One connection through a proxy."""

    def __init__(self, port: int, certificate: str, user: str = "") -> None:
        """Connect; `user` is what stands before the `@` of the proxy's URL."""
        context = ssl.create_default_context(cadata=certificate)
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=PATIENCE
        )
        credentials = base64.b64encode(user.encode()).decode()
        headers = {"Proxy-Authorization": f"Basic {credentials}"} if user else {}
        self._connection.set_tunnel(HOST, 443, headers)

    def send(self, *texts: str, headers: Mapping[str, str] = CLAUDE, session: str = "") -> None:
        """Send a call that asks with these texts, the model's in between."""
        said = [
            {"role": "assistant" if n % 2 else "user", "content": text}
            for n, text in enumerate(texts)
        ]
        body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": said, "stream": True}
        fields = {**headers, "content-type": "application/json"}
        if session:
            name = "x-claude-code-session-id" if headers is CLAUDE else "x-session-id"
            fields[name] = session
        self._connection.request("POST", "/v1/messages", json.dumps(body), fields)

    def hear(self) -> Answer:
        """Return the answer, whole."""
        response = self._connection.getresponse()
        return Answer(response.status, response.read())

    def begin(self) -> http.client.HTTPResponse:
        """Return the answer as it begins."""
        return self._connection.getresponse()

    def ask(self, *texts: str, **more: Any) -> Answer:
        """Make a call."""
        self.send(*texts, **more)
        return self.hear()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.close()


def page(port: int, path: str, authorization: str = "", method: str = "GET") -> Answer:
    """Ask a proxy for a page of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {"authorization": authorization} if authorization else {}
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())


def figures(port: int, authorization: str = "") -> dict[str, float]:
    """Return the proxy's metrics, labels with their names."""
    answer = page(port, "/metrics", authorization)
    assert answer.status == 200, answer
    found = re.findall(
        r"^traceproof_(\S+?(?:\{[^}]*\})?) (\S+)$", answer.body.decode(), re.MULTILINE
    )
    return {name: float(value) for name, value in found}


class TeamProxy:
    """`traceproof proxy --json` in a process of its own."""

    def __init__(self, env: dict[str, str], folder: Path, *options: str) -> None:
        """Start it on a free port, and wait until it listens."""
        self.store = folder / "store"
        self._stderr = folder / "stderr"
        command = [*TRACEPROOF, "proxy", "--json", "--store", str(self.store), *options]
        if "--listen" not in options:
            command += ["--listen", "127.0.0.1:0"]
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        else:
            raise AssertionError(f"the proxy did not start: {self.errors}")
        self.document: dict[str, Any] = json.loads("".join(lines))
        self.port = int(self.document["listen"][0].rpartition(":")[2])
        self.certificate = (self.store / "ca" / "traceproof-ca-cert.pem").read_text()

    @property
    def errors(self) -> list[str]:
        """The lines on stderr so far."""
        return self._stderr.read_text().splitlines()

    def agent(self, user: str = "") -> Agent:
        return Agent(self.port, self.certificate, user)

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
