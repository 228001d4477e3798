"""A program: an MCP server over HTTP, which prints its port.

`--stream`: answers come as events; `--sse`: as they came before streamable HTTP, on one stream.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools import answer

SESSION = "the-session-of-the-tests"
STREAM = "text/event-stream"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options: argparse.Namespace
    said: queue.SimpleQueue[dict[str, Any]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.options.sse and self.path == "/sse":  # where nothing is posted
            self.reply(405, "text/plain", b"")
            return
        message = json.loads(raw)
        self.log(message)
        said = answer(message)
        if self.options.sse:
            self.reply(202, "text/plain", b"Accepted")
            self.said.put(said or {})
        elif said is None:
            self.reply(202, "text/plain", b"")
        elif self.options.stream:
            progress = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
            self.reply(200, STREAM, event(progress) + event(said), message)
        else:
            self.reply(200, "application/json", json.dumps(said).encode(), message)

    def do_GET(self) -> None:
        if not self.options.sse:
            self.reply(405, "text/plain", b"")
            return
        self.send_response(200)
        self.send_header("content-type", STREAM)
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"event: endpoint\ndata: /messages?sessionId=7\n\n")
        self.wfile.flush()
        while True:
            said = self.said.get()
            if said:
                self.wfile.write(event(said))
                self.wfile.flush()

    def do_DELETE(self) -> None:
        self.reply(200, "text/plain", b"")

    def reply(self, status: int, kind: str, body: bytes, message: Any = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if message and message.get("method") == "initialize":
            self.send_header("mcp-session-id", SESSION)
        self.end_headers()
        self.wfile.write(body)

    def log(self, message: Any) -> None:
        with Path(self.options.log).open("a") as file:
            file.write(json.dumps({"got": message, "host": self.headers["host"]}) + "\n")

    def log_message(self, *_arguments: Any) -> None:
        pass


def event(message: Any) -> bytes:
    return b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--log", required=True)
    options.add_argument("--stream", action="store_true")
    options.add_argument("--sse", action="store_true")
    Handler.options = options.parse_args()
    Handler.said = queue.SimpleQueue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
