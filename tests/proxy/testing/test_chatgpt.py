from __future__ import annotations

from traceproof.proxy.testing import chatgpt

CHECK = "/backend-api/wham/accounts/check"


def test_it_tells_where_the_account_is_and_nothing_else() -> None:
    told = chatgpt.answer("GET", CHECK)

    assert told is not None
    (account,) = told["accounts"]
    assert account["id"] == chatgpt.ACCOUNT
    assert account["workspace_backend_origin"] == "https://chatgpt.com"
    assert chatgpt.answer("POST", CHECK) is None
    assert chatgpt.answer("GET", "/backend-api/codex/models") is None
