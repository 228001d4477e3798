"""The pages of a shared proxy's own address: health, figures, and the certificates to trust."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from traceproof.proxy.team import metrics
from traceproof.proxy.team.metrics import Family

_PEM = "application/x-pem-file"
_TEXT = "text/plain; charset=utf-8"


class Health(msgspec.Struct):
    """What a health check learns; `problem` is why calls are not recorded, or empty."""

    status: Literal["ok", "degraded"]
    version: str
    uptime_seconds: float
    recording: bool
    problem: str = ""


class Pages:
    """Answers requests to the proxy itself."""

    def __init__(
        self,
        *,
        health: Callable[[], Health],
        figures: Callable[[], Iterable[Family]],
        certificate: bytes,
        bundle: bytes,
    ) -> None:
        """Take what the pages show: `certificate` and `bundle` are PEM, and hold no key."""
        self._health = health
        self._figures = figures
        self._files = {"/ca.pem": certificate, "/bundle.pem": bundle}

    def __call__(self, method: str, path: str, allowed: bool) -> tuple[int, str, bytes] | None:
        """Return status, content type and body; `allowed` tells who may see the figures."""
        if path not in {"/healthz", "/metrics", *self._files}:
            return None
        if method not in {"GET", "HEAD"}:
            return 405, _TEXT, b"only GET and HEAD\n"
        if path == "/metrics" and not allowed:
            return 401, _TEXT, b"a user's token is needed: Authorization: Bearer TOKEN\n"
        if path == "/metrics":
            return 200, metrics.CONTENT_TYPE, metrics.encode(self._figures())
        if path == "/healthz":
            return 200, "application/json", msgspec.json.encode(self._health()) + b"\n"
        return 200, _PEM, self._files[path]
