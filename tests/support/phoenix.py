"""Arize Phoenix as its users run it, in folders of its own, with nothing but this machine around.

It is installed by `scripts/agents`. What it was sent is asked for through its own APIs.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 90
"""Seconds until it is up: it imports some hundred packages, and makes its database."""

QUERY = """query ($name: String!) { getProjectByName(name: $name) {
  traceCount tokenCountPrompt tokenCountCompletion
  spans(first: 1000) { edges { node {
    spanId name spanKind cumulativeTokenCountTotal input { value } output { value } } } } } }"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Phoenix:
    """A running Phoenix; a context manager. `environment` is all that it gets."""

    def __init__(self, program: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = folder / "phoenix.log"
        python = program.resolve().with_name("python")
        self._command = [str(python), "-m", "phoenix.server.main", "serve"]
        self._environment = {
            **environment,
            "PHOENIX_WORKING_DIR": str(folder / "phoenix"),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": self.url.rpartition(":")[2],
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        }

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_up():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.2)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _is_up(self) -> bool:
        with suppress(OSError):
            urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
            return True
        return False

    def ask(self, path: str, body: Any = None) -> Any:
        """Ask its REST API, or with a body its GraphQL one."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def spans(self, project: str, count: int) -> dict[str, dict[str, Any]]:
        """Return a project's spans by id, once there are so many: it takes them in by and by."""
        deadline = time.monotonic() + 30
        while True:
            found: list[dict[str, Any]] = []
            with suppress(urllib.request.HTTPError):  # not known until its first span is in
                found = self.ask(f"/v1/projects/{project}/spans?limit=1000")["data"]
            if len(found) >= count:
                return {span["context"]["span_id"]: span for span in found}
            assert time.monotonic() < deadline, f"{len(found)} of {count} spans\n{self.log}"
            time.sleep(0.2)

    def summary(self, project: str) -> Any:
        """Return what its page of a project shows, by the query language of that page."""
        answer = self.ask("/graphql", {"query": QUERY, "variables": {"name": project}})
        assert "errors" not in answer, answer
        return answer["data"]["getProjectByName"]
