"""What the test servers answer: a few tools, by JSON-RPC, whatever they are reached over.

Run by a bare Python, as part of a program: it imports nothing of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

VERSION = "2025-06-18"
TOOLS = [
    {
        "name": "add",
        "description": "Add two numbers.",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
    {
        "name": "fail",
        "description": "Fail, as a tool does.",
        "inputSchema": {"type": "object", "properties": {"why": {"type": "string"}}},
    },
    {
        "name": "refuse",
        "description": "Fail, as a server does.",
        "inputSchema": {"type": "object", "properties": {}},
    },
    {
        "name": "wait",
        "description": "Answer after some seconds.",
        "inputSchema": {"type": "object", "properties": {"seconds": {"type": "number"}}},
    },
]


def answer(message: dict[str, Any]) -> dict[str, Any] | None:
    """Return the answer to a message; None for what asks for none."""
    if "method" not in message or "id" not in message:
        return None
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "initialize": _initialize,
        "tools/list": lambda _params: {"result": {"tools": TOOLS}},
        "tools/call": _call,
        "ping": lambda _params: {"result": {}},
    }
    known = answers.get(message["method"])
    said = known(message.get("params") or {}) if known else _error(-32601, "no such method")
    return {"jsonrpc": "2.0", "id": message["id"], **said}


def _initialize(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "result": {
            "protocolVersion": params.get("protocolVersion", VERSION),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "sums", "version": "1.2.3"},
        }
    }


def _call(params: dict[str, Any]) -> dict[str, Any]:
    given = params.get("arguments") or {}
    match params["name"]:
        case "add":
            return {"result": _text(f"the sum is {given['a'] + given['b']}")}
        case "fail":
            return {"result": {**_text(f"it failed: {given.get('why')}"), "isError": True}}
        case "wait":
            time.sleep(given.get("seconds", 0))
            return {"result": _text("waited")}
    return _error(-32602, f"no such tool: {params['name']}")


def _text(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
