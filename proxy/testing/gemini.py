"""Gemini's `generateContent` wire format, from the provider's side; pure functions.

A call has no id unless the script gives it one, as with most of these models: its signature,
which clients send back, tells the turn. What this format has no place for (redacted thinking) is
left out; a tool that the provider runs is always its code execution.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from traceproof.proxy.testing.parts import AnyPart, Cite, Refuse, Say, ServerTool, Think, Use
from traceproof.proxy.testing.request import Said, View
from traceproof.proxy.testing.wire import (
    CHARACTERS_PER_TOKEN,
    Reply,
    encode,
    output_tokens,
    pieces,
    sse,
)

ERRORS = {
    400: ("INVALID_ARGUMENT", "Invalid JSON payload received."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "Permission denied."),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: ("INTERNAL", "An internal error has occurred."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    529: ("UNAVAILABLE", "The model is overloaded."),
}
_PATH = re.compile(r".*/([^/]+):(generateContent|streamGenerateContent)")
_COUNT_TOKENS = ":countTokens"


class Gemini:
    """`POST …/models/{model}:generateContent` and `:streamGenerateContent`."""

    name = "gemini"
    id_header = "x-goog-request-id"

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is a model call."""
        return method == "POST" and bool(_PATH.fullmatch(path))

    def speaks(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell whether a client authenticates as this API's do."""
        return any(name.lower() == "x-goog-api-key" for name, _ in headers)

    def view(self, body: dict[str, Any], target: str = "") -> View:
        """Say what is asked; the model, and how to answer, stand in the path and the query."""
        where = urlsplit(target)
        found = _PATH.fullmatch(where.path)
        stream = bool(found) and where.path.endswith(":streamGenerateContent")
        config = body.get("generationConfig") or {}
        return View(
            model=unquote(found[1]) if found else "",
            system=_text((body.get("systemInstruction") or {}).get("parts") or ()),
            messages=[_said(content) for content in body["contents"]],
            tools=tuple(_tool_names(body)),
            stream=stream,
            schema=config.get("responseMimeType") == "application/json",
            array=stream and "alt=sse" not in where.query.split("&"),
        )

    def events(self, reply: Reply) -> list[bytes]:
        """Return the partial answers: as events, or as the pieces of one JSON array."""
        chunks = list(_chunks(reply))
        if not reply.array:
            return [self.event(chunk) for chunk in chunks]
        first, *rest = [self.element(chunk) for chunk in chunks]
        return [b"[" + first.lstrip(b",\r\n"), *rest, b"\n]\n"]

    def whole(self, reply: Reply) -> bytes:
        """Return the answer as one JSON object."""
        parts = list(_whole_parts(reply))
        candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": _stop(reply)}
        cited = {"citationMetadata": {"citations": found}} if (found := _citations(reply)) else {}
        return encode(_answer(reply, {**candidate, **cited, "index": 0}, _usage(reply)))

    def event(self, data: Any) -> bytes:
        """Frame JSON as one event."""
        return sse(encode(data)).replace(b"\n", b"\r\n")

    def element(self, data: Any) -> bytes:
        """Frame JSON as a further element of an array."""
        return b",\r\n" + encode(data)

    def error(self, status: int, kind: str | None, message: str | None) -> dict[str, Any]:
        """Return an error as the API reports it."""
        code = status or 503
        usual_kind, usual_message = ERRORS.get(code, ("UNKNOWN", "Error"))
        text = message or usual_message
        return {"error": {"code": code, "message": text, "status": kind or usual_kind}}

    def other(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        """Count tokens, roughly."""
        if method == "POST" and path.endswith(_COUNT_TOKENS):
            return {"totalTokens": len(body) // CHARACTERS_PER_TOKEN + 1}
        return None


# --- the request ----------------------------------------------------------------------------------


def _said(content: dict[str, Any]) -> Said:
    parts = content["parts"]
    results = tuple(
        _result(part["functionResponse"]) for part in parts if "functionResponse" in part
    )
    calls = tuple(_call_id(part) for part in parts if "functionCall" in part)
    role = "assistant" if content.get("role") == "model" else "user"
    alone = len(results) == len(parts) and results
    return Said("tool" if alone else role, _text(parts), calls, results)


def _text(parts: Sequence[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in parts if "text" in part and not part.get("thought"))


def _result(answer: dict[str, Any]) -> str:
    response = answer["response"]
    text = response.get("output", response.get("error"))
    return text if isinstance(text, str) else encode(response).decode()


def _call_id(part: dict[str, Any]) -> str:
    mark = b64decode(part.get("thoughtSignature") or "").decode("utf-8", "replace")
    return mark or str(part["functionCall"].get("id") or "")


def _tool_names(body: dict[str, Any]) -> Iterator[str]:
    for tool in body.get("tools") or ():
        for key, value in tool.items():
            if key == "functionDeclarations":
                yield from (str(each["name"]) for each in value)
            else:
                yield key


# --- the answer -----------------------------------------------------------------------------------


def _stop(reply: Reply) -> str:
    refused = any(isinstance(part, Refuse) for part in reply.turn.parts)
    return reply.turn.stop or ("SAFETY" if refused else "STOP")


def _usage(reply: Reply, *, ended: bool = True) -> dict[str, Any]:
    """Count tokens; what is zero is left out, and in the midst of a stream what was said."""
    usage = reply.turn.usage
    prompt = usage.input + usage.cache_read + usage.cache_creation
    said = output_tokens(reply.turn)
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": said if ended else 0,
        "totalTokenCount": prompt + (said + usage.reasoning if ended else 0),
        "cachedContentTokenCount": usage.cache_read,
        "thoughtsTokenCount": usage.reasoning if ended else 0,
    }
    return {key: count for key, count in counts.items() if count}


def _answer(reply: Reply, candidate: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": reply.model,
        "responseId": reply.mark("m"),
    }


def _chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    usage = _usage(reply, ended=False)
    for number, part in enumerate(reply.turn.parts):
        for told in _parts(part, reply, number):
            for piece in _pieces(told, reply.turn.piece):
                content = {"parts": [piece], "role": "model"}
                yield _answer(reply, {"content": content, "index": 0}, usage)
        if isinstance(part, Cite):
            cited = {"citationMetadata": {"citations": [_citation(part)]}, "index": 0}
            yield _answer(reply, cited, usage)
    last = {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": _stop(reply)}
    yield _answer(reply, {**last, "index": 0}, _usage(reply))


def _pieces(part: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """Cut a text part; what goes with it goes with its last piece."""
    if "text" not in part:
        yield part
        return
    *most, last = pieces(part["text"], size)
    thought = {"thought": True} if "thought" in part else {}
    yield from ({"text": piece, **thought} for piece in most)
    yield {**part, "text": last}


def _whole_parts(reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the parts of a whole answer, in which neighbouring texts are one."""
    held = ""
    for number, part in enumerate(reply.turn.parts):
        for told in _parts(part, reply, number):
            if told.keys() == {"text"}:
                held += told["text"]
                continue
            if held:
                yield {"text": held}
            held = ""
            yield told
    if held:
        yield {"text": held}


def _parts(part: AnyPart, reply: Reply, number: int) -> Iterator[dict[str, Any]]:
    match part:
        case Say(text) | Refuse(text) | Cite(text):
            yield {"text": text}
        case Think(text, signature):
            yield {"text": text, "thought": True, "thoughtSignature": signature}
        case Use(name, value, call_id):
            call = {"name": name, "args": value, **({"id": call_id} if call_id else {})}
            mark = b64encode(reply.mark(f"p{number}").encode()).decode()
            yield {"functionCall": call, "thoughtSignature": mark}
        case ServerTool(_, value, result):
            yield {"executableCode": {"language": "PYTHON", "code": encode(value).decode()}}
            output = encode(result).decode()
            yield {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": output}}


def _citations(reply: Reply) -> list[dict[str, Any]]:
    return [_citation(part) for part in reply.turn.parts if isinstance(part, Cite)]


def _citation(part: Cite) -> dict[str, Any]:
    return {"startIndex": 0, "endIndex": len(part.text), "uri": part.url, "title": part.title}
