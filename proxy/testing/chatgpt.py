"""What Codex asks ChatGPT's servers for beside model calls, when its user has logged in.

Seen with Codex 0.169.0, which gives up if it does not learn where the account's workspace is. All
else may be unknown: without a list of models it goes by its own.
"""

from __future__ import annotations

from typing import Any

ACCOUNT = "00000000-0000-4000-8000-00000000acc0"
"""The account of every login."""


def answer(method: str, path: str) -> dict[str, Any] | None:
    """Return the answer to a request, None where nothing is known of its path."""
    if method == "GET" and path.endswith("/wham/accounts/check"):
        account = {
            "id": ACCOUNT,
            "workspace_backend_origin": "https://chatgpt.com",
            "account_routing_override": "us",
        }
        return {"accounts": [account]}
    return None
