"""A network that has nothing but this machine: a proxy that refuses whatever it is asked for."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Offline:
    """Put its variables into an environment; `asked` are the hosts that were wanted."""

    def __init__(self) -> None:
        asked: set[str] = set()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                words = self.rfile.readline(65536).decode("latin-1").split()
                while self.rfile.readline(65536).strip():
                    pass
                asked.update(word.partition(":")[0] for word in words[1:2])
                self.wfile.write(REFUSAL)

        self.asked = asked
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def variables(self) -> dict[str, str]:
        """What leads a program here, and past us to this machine."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        local = "localhost,127.0.0.1,::1"
        return {
            **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), proxy),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), local),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
