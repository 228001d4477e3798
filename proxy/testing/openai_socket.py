"""The OpenAI Responses wire format over a web socket, from the provider's side; pure functions.

Every `response.create` is a request, every event of its answer a message of its own. An error tells
the status that it would have had over HTTP.
"""

from __future__ import annotations

from typing import Any

from traceproof.proxy.testing.openai_responses import OpenAIResponses
from traceproof.proxy.testing.wire import CREATED, encode

CREATE = "response.create"
PATH_END = "/responses"


class OpenAISocket(OpenAIResponses):
    """What passes after `GET …/responses` has become a web socket."""

    name = "openai-responses-websocket"

    def matches(self, method: str, path: str) -> bool:  # noqa: ARG002
        """Tell that no request of HTTP is a model call of this format."""
        return False

    def event(self, data: Any) -> bytes:
        """Return an event as a message's payload."""
        return encode(data if "type" in data else {"type": "error", **data})

    def error(self, status: int, kind: str | None, message: str | None) -> dict[str, Any]:
        """Return an error event; without a status of its own it is the server's fault."""
        return {"type": "error", "status": status or 500, **super().error(status, kind, message)}

    def not_found(self, previous: str) -> bytes:
        """Return the error that answers a message which continues a response nobody knows."""
        words = f"Previous response with id {previous!r} not found."
        told = self.error(400, "invalid_request_error", words)
        told["error"] |= {"code": "previous_response_not_found", "param": "previous_response_id"}
        return encode(told)

    def warm(self, response_id: str, model: str) -> list[bytes]:
        """Return the answer to a message that asks for nothing to be generated."""
        usage = {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        }
        response = {
            "id": response_id,
            "object": "response",
            "created_at": CREATED,
            "status": "in_progress",
            "model": model,
            "output": [],
            "usage": None,
        }
        ended = {**response, "status": "completed", "usage": usage}
        events = [
            {"type": "response.created", "sequence_number": 0, "response": response},
            {"type": "response.completed", "sequence_number": 1, "response": ended},
        ]
        return [self.event(event) for event in events]
