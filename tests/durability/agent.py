"""An agent for the tests: asks the model once for each line on stdin, and says what came of it.

It prints its process id, then a line of JSON for each call; whatever goes wrong with a call is told
and survived. It ends when stdin does, with the exit code that its argument names.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

BASE = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
HEADERS = {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "x-api-key": "sk-ant-api03-fake-key-of-the-tests-0123456789",
}
OPENER = urllib.request.build_opener(
    urllib.request.HTTPSHandler(context=ssl.create_default_context())
)
"""It reads the machine's roots once, which takes longer than a call."""


def main() -> int:
    messages: list[dict[str, Any]] = []
    tell({"pid": os.getpid()})
    for line in sys.stdin:
        messages.append({"role": "user", "content": [*results(messages), text(line.strip())]})
        try:
            content = ask(messages)
        except urllib.error.HTTPError as error:
            messages.pop()
            tell({"status": error.code, "error": json.load(error)["error"]["message"]})
        except (OSError, ValueError, http.client.HTTPException) as error:  # cut, within a line too
            messages.pop()
            tell({"status": 0, "error": str(error)})
        else:
            messages.append({"role": "assistant", "content": content})
            tell({"status": 200, "said": content[0]["text"]})
    return int(sys.argv[1]) if len(sys.argv) > 1 else 0


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - it is a program


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def results(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer the tool calls of the last message."""
    asked = [block for block in messages[-1]["content"] if "id" in block] if messages else []
    return [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"} for block in asked
    ]


def ask(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    body = {"model": "claude-sonnet-4-5", "max_tokens": 999, "messages": messages, "stream": True}
    tool = {"name": "bash", "description": "Run a command.", "input_schema": {"type": "object"}}
    data = json.dumps({**body, "tools": [tool]}).encode()
    request = urllib.request.Request(f"{BASE}/v1/messages", data, HEADERS)
    with OPENER.open(request) as response:
        events = [json.loads(line[5:]) for line in response if line.startswith(b"data:")]
    if not events or events[-1]["type"] != "message_stop":
        raise http.client.HTTPException("the stream was cut")
    return assemble(events)


def assemble(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
            blocks[-1]["text"] += event["delta"]["text"]
        elif event["type"] == "content_block_delta":
            blocks[-1]["input"] = {"command": "true"}
    return blocks


if __name__ == "__main__":
    sys.exit(main())
