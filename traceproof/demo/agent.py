"""A coding agent in one file: it asks a model, runs the tools the model calls, and asks again.

It speaks Anthropic Messages, streamed, with the standard library alone, and knows nothing of
traceproof: like any agent, it finds the proxy and the certificates in its environment.

    python -m traceproof.demo.agent "Fix the failing test."
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_URL = "https://api.anthropic.com/v1/messages"
_MODEL = "claude-sonnet-4-5"
_SYSTEM = "You are a careful engineer. Look first, change little, and run the tests after a change."
_MAX_TURNS = 20


def _schema(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": properties, "required": list(names)}


_TOOLS = [
    {
        "name": "bash",
        "description": "Run a shell command; answers with its output and exit code.",
        "input_schema": _schema("command"),
    },
    {
        "name": "read_file",
        "description": "Read a text file.",
        "input_schema": _schema("path"),
    },
    {
        "name": "edit_file",
        "description": "Replace the one occurrence of a text in a file.",
        "input_schema": _schema("path", "old", "new"),
    },
]


def main(prompt: str) -> int:
    """Work on `prompt` until the model is done; return the exit code."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    for _ in range(_MAX_TURNS):
        content = _ask(messages)
        messages.append({"role": "assistant", "content": content})
        _print_texts(content)
        results = [_answer(block) for block in content if block["type"] == "tool_use"]
        if not results:
            return 0
        messages.append({"role": "user", "content": results})
    print(f"gave up after {_MAX_TURNS} turns", file=sys.stderr)
    return 1


def _ask(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send the conversation and return the blocks of the answer."""
    body = {
        "model": _MODEL,
        "max_tokens": 4096,
        "system": _SYSTEM,
        "tools": _TOOLS,
        "messages": messages,
        "stream": True,
    }
    request = urllib.request.Request(
        _URL,
        json.dumps(body).encode(),
        {
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""),
        },
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310 - see above
        return _assemble(_events(response))


def _events(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


def _assemble(events: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    partial: dict[int, str] = {}
    for event in events:
        match event["type"]:
            case "content_block_start":
                blocks.append(event["content_block"])
            case "content_block_delta":
                _extend(blocks, partial, event["index"], event["delta"])
            case "error":
                raise RuntimeError(event["error"]["message"])
    for index, text in partial.items():
        blocks[index]["input"] = json.loads(text or "{}")
    return blocks


def _extend(
    blocks: list[dict[str, Any]], partial: dict[int, str], index: int, delta: dict[str, Any]
) -> None:
    kind = delta["type"].removesuffix("_delta")
    if kind in {"text", "thinking", "signature"}:
        blocks[index][kind] = blocks[index].get(kind, "") + delta[kind]
    elif kind == "input_json":
        partial[index] = partial.get(index, "") + delta["partial_json"]


def _print_texts(content: list[dict[str, Any]]) -> None:
    for block in content:
        if block["type"] == "text":
            print(block["text"], flush=True)


def _answer(block: dict[str, Any]) -> dict[str, Any]:
    """Run one tool call; an error is an answer too."""
    try:
        text, is_error = _run(block["name"], block["input"])
    except (OSError, ValueError, KeyError) as error:
        text, is_error = f"{type(error).__name__}: {error}", True
    return {
        "type": "tool_result",
        "tool_use_id": block["id"],
        "content": text,
        "is_error": is_error,
    }


def _run(name: str, arguments: dict[str, str]) -> tuple[str, bool]:
    match name:
        case "bash":
            done = subprocess.run(
                ["bash", "-c", arguments["command"]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            return f"{done.stdout}\nexit code {done.returncode}", done.returncode != 0
        case "read_file":
            return Path(arguments["path"]).read_text(), False
        case "edit_file":
            return _edit(Path(arguments["path"]), arguments["old"], arguments["new"]), False
    raise ValueError(f"no such tool: {name}")


def _edit(path: Path, old: str, new: str) -> str:
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"the text to replace occurs {text.count(old)} times in {path}, not once")
    path.write_text(text.replace(old, new))
    return f"edited {path}"


if __name__ == "__main__":
    try:
        sys.exit(main(" ".join(sys.argv[1:]) or "Fix the failing test."))
    except (urllib.error.URLError, RuntimeError) as error:
        sys.exit(f"the model could not be asked: {error}")
