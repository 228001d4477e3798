"""The connection to the engine: through docker-py's low-level client, with errors that are ours.

docker-py finds the engine by `DOCKER_HOST`, else at `/var/run/docker.sock`. Nothing of its own
configuration reaches a box: requests are made as they are in the engine's API.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError, SandboxUnavailable

SECONDS = 60
"""How long the engine may take for one answer."""

_SOCKET = Path("/var/run/docker.sock")
_ROOM = ("no space left on device", "cannot allocate memory", "resource temporarily unavailable")
_MISSING = "docker-py is not installed: pip install 'traceproof[docker]'"


def connect(url: str | None = None) -> Any:
    """Connect to the engine.

    Args:
        url: where it is; default: `DOCKER_HOST`, or docker-py's default.

    Returns:
        docker-py's `APIClient`; threads may share it.

    Raises:
        SandboxUnavailable: docker-py is not installed, or no engine answers.
    """
    try:
        import docker  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SandboxUnavailable(_MISSING) from error
    host = url or os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}"
    with failures(f"connect to the Docker engine at {host}"):
        _knock(host)
        settings = docker.utils.kwargs_from_env()
        settings.update(base_url=host, version="auto", timeout=SECONDS, max_pool_size=64)
        client = docker.APIClient(**settings)
    client.trust_env = False  # the machine's HTTP proxy is not between us and the engine
    return client


def expected() -> bool:
    """Say whether this machine looks as if there should be an engine."""
    return bool(os.environ.get("DOCKER_HOST")) or _SOCKET.exists()


def _knock(host: str) -> None:
    """See whether anybody answers: docker-py leaves its socket open where nobody does."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(SECONDS)
            knocking.connect(host.removeprefix("unix://"))


@contextmanager
def failures(doing: str) -> Iterator[None]:
    """Raise what docker-py, requests and sockets raise as errors of a sandbox.

    Args:
        doing: what is being done, as it goes on after "cannot".

    Raises:
        SandboxError: of the class that fits.
    """
    import docker.errors  # noqa: PLC0415 - an extra
    import requests  # noqa: PLC0415 - comes with it

    try:
        yield
    except docker.errors.APIError as error:
        raise _refused(doing, error) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(_silent(doing, error)) from error
    except SandboxError:
        raise
    except OSError as error:
        raise SandboxUnavailable(_silent(doing, error)) from error


def _refused(doing: str, error: Any) -> SandboxError:
    said = first_line(str(error.explanation or error))
    message = f"cannot {doing}: {said}"
    lowered = said.lower()
    if any(words in lowered for words in _ROOM):
        return OutOfRoom(f"{message}; make room on the engine's machine")
    if error.status_code == 404 and "no such image" in lowered:  # noqa: PLR2004 - HTTP's own
        return ImageFailed(f"{message}; build it again, or load it")
    return SandboxError(message)


def _silent(doing: str, error: Exception) -> str:
    return (
        f"cannot {doing}: {first_line(_reason(error))}; "
        "is the engine running, and may this user reach it (`docker version`)?"
    )


def _reason(error: BaseException) -> str:
    """Return what the system said, which requests and urllib3 wrap several times."""
    seen = error
    while seen.__context__ is not None:
        seen = seen.__context__
    said = seen.strerror if isinstance(seen, OSError) else None
    return said or str(error)


def first_line(text: str) -> str:
    """Return the first line of a text that has something in it, at most 300 characters."""
    lines = (line.strip() for line in text.splitlines())
    return next(filter(None, lines), "no reason given")[:300]
