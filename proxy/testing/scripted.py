"""`ScriptedModel`: the scripted model in a thread of its own, for synchronous code."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from traceproof.proxy.testing.calls import Call, CallLog
from traceproof.proxy.testing.handshake import ACCEPTED
from traceproof.proxy.testing.model import Model
from traceproof.proxy.testing.script import ComputedTurn, Script, Turns
from traceproof.proxy.testing.server import Server

PATIENCE = 10.0
"""Seconds that the waits give by default."""


class ScriptedModel:
    """A model's HTTP API that answers from a script, on a free port of the loopback interface.

    Use as a context manager; `calls` can be read afterwards too.

    Args:
        script: A script, the turns of a single scene, or a function from a request to a turn.
        port: The port, 0 for a free one.
        certificate: A PEM file with a certificate and its chain: speak TLS.
        key: The certificate's key, where that is another file.
        keep: How many calls to keep at most; None keeps all.
        upgrades: With which status to answer the first requests for a web socket; the last answers
            all further ones. 101 agrees; 426 tells Codex to use HTTP.
        deflate: Whether web sockets are compressed, where the client offers it.
    """

    def __init__(
        self,
        script: Script | Turns | ComputedTurn,
        *,
        port: int = 0,
        certificate: Path | str | None = None,
        key: Path | str | None = None,
        keep: int | None = None,
        upgrades: Sequence[int] = (ACCEPTED,),
        deflate: bool = True,
    ) -> None:
        self.port = port
        self._upgrades, self._deflate = upgrades, deflate
        self._script = Script.of(script)
        self._tls = _context(certificate, key) if certificate else None
        self._log = CallLog(keep)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-model", daemon=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Start listening, and return the model itself.

        Raises:
            OSError: The port cannot be listened on.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def close(self) -> None:
        """Break off every connection and end; may be called again.

        Raises:
            Exception: What a function of the script raised, if one did.
        """
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        if self._server and self._server.failure:
            failure, self._server.failure = self._server.failure, None
            raise failure

    @property
    def url(self) -> str:
        """The base URL: what ANTHROPIC_BASE_URL takes; OPENAI_API_BASE takes it with `/v1`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Call]:
        """Every exchange so far, in the order in which the requests were whole."""
        return self._log.snapshot()

    @property
    def model_calls(self) -> list[Call]:
        """The exchanges that were model calls."""
        return [call for call in self.calls if call.wire]

    @property
    def unmatched(self) -> list[Call]:
        """The model calls that no scene had a turn for; they got the script's default."""
        return [call for call in self.model_calls if not call.matched]

    @property
    def ended(self) -> int:
        """How many exchanges have ended, those no longer kept included."""
        return self._log.ended()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Call]:
        """Wait until `count` exchanges have ended, and return all calls.

        Raises:
            TimeoutError: They did not, within `timeout` seconds.
        """
        self._log.wait(lambda: self._log.ended() >= count, timeout, f"{count} calls to end")
        return self.calls

    def wait_held(self, count: int = 1, timeout: float = PATIENCE) -> list[Call]:
        """Wait until `count` answers stand still at a `Hold`, and return all calls.

        Raises:
            TimeoutError: They did not, within `timeout` seconds.
        """
        self._log.wait(lambda: self._log.held >= count, timeout, f"{count} answers to be held")
        return self.calls

    def release(self) -> None:
        """Let all answers go on that stand still at a `Hold` now."""
        if self._loop and self._server:
            self._loop.call_soon_threadsafe(self._server.release)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits in start()
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._closing = asyncio.Event()
        model = Model(self._script, self._upgrades, deflate=self._deflate)
        self._server = Server(model, self._log)
        self.port = await self._server.start("127.0.0.1", self.port, self._tls)
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._closing.wait()
        await self._server.close()


def _context(certificate: Path | str, key: Path | str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context
