"""Sends batches of spans over OTLP/HTTP, with OpenTelemetry's own exporter.

The exporter encodes, compresses, and tries again with growing pauses (429, 502, 503, 504, and no
connection). It tells little of what happened; that is noted here by the session it sends with,
which also says no where the exporter would take a redirect, or a page, for success.
This module needs the extra `otlp`, see `traceproof.commands.push`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from traceproof.export.endpoint import Endpoint

_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_THEIRS = {"content-type", "content-encoding", "user-agent"}
"""The exporter's own headers; others it may have from the environment are not for every server."""

_UNTRUSTED = "its certificate is not trusted (OTEL_EXPORTER_OTLP_CERTIFICATE names a CA's file)"
_REDIRECTION = 300
_TOO_LARGE = 413
_SHOWN = 200


class TooLargeError(ValueError):
    """The server takes no batch of this size."""


class Sender:
    """A connection to one server; a context manager, for one thread."""

    def __init__(
        self, endpoint: Endpoint, *, timeout: float, again: Callable[[str], None] = print
    ) -> None:
        """Prepare to send; nothing is dialled yet.

        Args:
            endpoint: Where to.
            timeout: Seconds that a batch may take, all its tries and the pauses between included.
            again: Told why, each time that a batch is tried again.
        """
        self._endpoint = endpoint
        self._session = _Session(endpoint.headers)
        self._log = _Log(lambda: again(self._session.outcome))
        self._log.open()  # at once: an exporter in the making may log the environment's headers
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint.url,
            timeout=timeout,
            compression=Compression.Gzip,
            session=self._session,
            max_request_size=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._log.close()
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def send(self, spans: list[ReadableSpan]) -> tuple[int, str]:
        """Send a batch; return how many of its spans the server took but refused, and why.

        Raises:
            TooLargeError: the batch is too large for the server.
            ConnectionError: the server did not take it, though it was tried again where that helps.
        """
        self._session.forget()
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            if self._session.status == _TOO_LARGE:
                raise TooLargeError(self._session.outcome)
            outcome = self._session.outcome or "the batch could not be encoded"
            raise ConnectionError(f"{self._endpoint.shown}: {outcome}")
        refused, why = self._session.refused()
        return min(max(refused, 0), len(spans)), why


class _Session(requests.Session):
    """A session that sends just our headers, and notes what each request came to."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._ours = headers
        self.auth = _as_it_is  # else requests puts what ~/.netrc has in our header's place
        self.forget()

    def forget(self) -> None:
        self.status, self.outcome, self._content = 0, "", b""

    def request(self, *arguments: Any, **more: Any) -> requests.Response:
        given = {**self.headers, **(more.get("headers") or {})}
        theirs = {name: value for name, value in given.items() if name.lower() in _THEIRS}
        more["headers"] = {**theirs, **self._ours}
        if self.verify is not True:  # else REQUESTS_CA_BUNDLE wins over what is meant for this
            more["verify"] = self.verify
        self.forget()
        try:
            response = super().request(*arguments, **more)
        except Exception as error:
            self.outcome = _why(error)
            if self.outcome == _UNTRUSTED:  # trying again would not help
                raise requests.RequestException(self.outcome) from error
            raise
        self.status, self._content = response.status_code, response.content
        self.outcome = f"answered {response.status_code} {response.reason}: {_said(response)}"
        self.outcome = self.outcome.rstrip(": ")
        if response.ok and (what := _is_no_answer(response)):
            self.outcome = f"answered {response.status_code} {what}"
            raise requests.RequestException(self.outcome)
        return response

    def refused(self) -> tuple[int, str]:
        """Return how many spans the last answer, a success, says were refused, and why."""
        try:
            partial = ExportTraceServiceResponse.FromString(self._content).partial_success
        except DecodeError:  # JSON, or a page: the status said that all went well
            return 0, ""
        return partial.rejected_spans, partial.error_message[:_SHOWN]


class _Log(logging.Handler):
    """OpenTelemetry's log: the exporter's warnings mean that it tries again; no more is told."""

    def __init__(self, again: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._again = again
        self._logger = logging.getLogger("opentelemetry")
        self._propagate = self._logger.propagate

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING and record.name == _EXPORTER:
            self._again()

    def open(self) -> None:
        self._logger.addHandler(self)
        self._logger.propagate = False

    def close(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagate
        super().close()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _is_no_answer(response: requests.Response) -> str:
    """Say what a success is that no server of OTLP answers with; "" where there is nothing odd."""
    if response.is_redirect or response.status_code >= _REDIRECTION:
        return f"{response.reason}: it sends elsewhere, and a push does not follow"
    if response.content and "html" in response.headers.get("content-type", ""):
        return "with a page for people: nothing takes traces there"
    return ""


def _why(error: Exception) -> str:
    """Say in a few words why there was no answer; an error's own text may repeat the address."""
    match error:
        case requests.exceptions.SSLError():
            untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            return _UNTRUSTED if untrusted else "it does not speak TLS as it should"
        case requests.exceptions.ProxyError():
            return "the proxy on the way there failed"
        case requests.exceptions.ConnectTimeout():
            return "no connection in time"
        case requests.exceptions.Timeout():
            return "no answer in time"
        case requests.exceptions.ConnectionError():
            return "no connection"
    return type(error).__name__


def _said(response: requests.Response) -> str:
    """Return what an error's body says, in one line: protobuf's and JSON's texts can be read."""
    if response.ok or not response.content:
        return ""
    text = response.content[:_SHOWN].decode("utf-8", "ignore")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
