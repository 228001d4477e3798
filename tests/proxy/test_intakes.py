from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.frames import Tape
from traceproof.proxy.intake import Intake
from traceproof.proxy.intakes import new_intake
from traceproof.proxy.websocket.intake import WebSocketIntake

if TYPE_CHECKING:
    from tests.proxy.conftest import Desk


def test_a_request_for_a_web_socket_is_taken_in_as_one(desk: Desk) -> None:
    for path in ("/v1/responses", "/v1/realtime"):
        assert type(new_intake(Tape(path=path).exchange, desk.context)) is WebSocketIntake


@pytest.mark.parametrize(
    "more",
    [
        {"method": "POST"},
        {"request_headers": []},
        {"request_headers": [("upgrade", "h2c")]},
        {"request_headers": [("upgrade", "websocket"), ("Content-Length", "3")]},
        {"request_headers": [("upgrade", "websocket"), ("Transfer-Encoding", "chunked")]},
    ],
)
def test_any_other_request_is_taken_in_as_http(desk: Desk, more: dict[str, Any]) -> None:
    assert type(new_intake(Tape(**more).exchange, desk.context)) is Intake
