from __future__ import annotations

import json

from traceproof.proxy.team.metrics import gauge
from traceproof.proxy.team.pages import Health, Pages

PAGES = Pages(
    health=lambda: Health("degraded", "1.2", 3.5, False, "no room"),
    figures=lambda: [gauge("lag_seconds", "Lag.", 1)],
    certificate=b"the certificate",
    bundle=b"all of them",
)


def test_health_is_json() -> None:
    status, kind, body = PAGES("GET", "/healthz", False) or (0, "", b"")

    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == {
        "status": "degraded",
        "version": "1.2",
        "uptime_seconds": 3.5,
        "recording": False,
        "problem": "no room",
    }


def test_figures_are_for_those_who_may_see_them() -> None:
    status, kind, body = PAGES("GET", "/metrics", True) or (0, "", b"")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"traceproof_lag_seconds 1\n" in body
    status, _, body = PAGES("GET", "/metrics", False) or (0, "", b"")
    assert (status, body[:8]) == (401, b"a user's")


def test_certificates_are_for_everybody() -> None:
    assert PAGES("GET", "/ca.pem", False) == (200, "application/x-pem-file", b"the certificate")
    assert PAGES("HEAD", "/bundle.pem", False) == (200, "application/x-pem-file", b"all of them")


def test_other_pages_and_methods() -> None:
    assert PAGES("GET", "/", True) is None
    assert PAGES("GET", "/v1/messages", True) is None
    assert (PAGES("POST", "/healthz", True) or (0,))[0] == 405
