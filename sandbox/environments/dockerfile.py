"""Images from a project's own Dockerfile, built by the engine.

Where this machine needs certificates of its own to reach a network, they are copied into every
stage, and the result is flattened without them: no layer of the final image holds them.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.environments import cache, images, network, tarring, untrusted
from traceproof.sandbox.environments.images import Found
from traceproof.sandbox.environments.request import Request
from traceproof.sandbox.environments.workshop import Done, failed
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.protocol import GIB

_FROM: Final = re.compile(r"^\s*FROM\s", re.IGNORECASE)
_INSIDE: Final = "/.traceproof-certificates.pem"
_FILE: Final = ".traceproof-certificates.pem"
_DOCKERFILE: Final = ".traceproof-dockerfile"
_SECONDS: Final = 3600
_MEMORY: Final = 8 * GIB
_EVENTS: Final = 500
_LONGEST: Final = 4096
_TAIL: Final = 8192
"""How many words of the engine's are kept of a build, and how much of each."""


def built(client: Any, request: Request, tree: str, made: list[str]) -> Found:
    """Return the image of a Dockerfile; it is built unless it was built from the same tree.

    Args:
        client: docker-py's.
        request: what is being built; the tree is the Dockerfile's context.
        tree: the digest of the folder's content.
        made: takes "base" if it had to be built.

    Raises:
        FileNotFoundError: there is no such Dockerfile.
        ImageFailed: it cannot be built.
    """
    folder, name = request.source.folder, request.recipe.base.dockerfile
    key = cache.key("dockerfile", name, tree)
    with cache.alone(cache.folder() / "locks" / key[:32]):
        if not images.made(client, "base", key):
            text = untrusted.text(folder, name)
            if text is None:
                raise FileNotFoundError(f"there is no {name} in the tree")
            request.say(f"building {name}")
            made.append("base")
            _build(client, folder, text, key)
    found = images.look(client, f"traceproof/dockerfile:{key[:16]}")
    if found is None:
        raise ImageFailed(f"the image of {name} is gone again; try once more")
    return found._replace(reference=name)


def with_certificates(text: str) -> str:
    """Return a Dockerfile whose every stage trusts the certificates beside it."""
    variables = " ".join(f"{k}={v}" for k, v in network.trusting(_INSIDE).items())
    added = f"COPY {_FILE} {_INSIDE}\nENV {variables}\n"
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        lines.append(line if line.endswith("\n") else line + "\n")
        if _FROM.match(line) and not re.match(r"^\s*FROM\s+scratch\b", line, re.IGNORECASE):
            lines.append(added)
    return "".join(lines)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _build(client: Any, folder: Path, text: str, key: str) -> None:
    bundle = network.authorities(os.environ) if _own_authorities() else b""
    tag = f"traceproof/dockerfile:{key[:16]}"
    labels = {"traceproof": "1", images.KIND: "base", images.KEY: key}
    given = with_certificates(text) if bundle else text
    extra = {_DOCKERFILE: given.encode()} | ({_FILE: bundle} if bundle else {})
    _engine_builds(client, _context(folder, extra), tag, labels)
    if bundle:
        _flatten(client, tag, labels)


def _own_authorities() -> bool:
    """Say whether this machine was told of certificates other than the system's usual ones."""
    return any(os.environ.get(name) for name in network.trusting(""))


def _context(folder: Path, extra: dict[str, bytes]) -> Iterator[bytes]:
    for name, content in extra.items():
        yield b"".join(tarring.one_file(name, content)).removesuffix(bytes(1024))
    yield from tarring.tree(folder)


def _engine_builds(client: Any, context: Iterator[bytes], tag: str, labels: dict[str, str]) -> None:
    own = network.proxies(os.environ)
    parameters = {
        "t": tag, "dockerfile": _DOCKERFILE, "rm": True, "forcerm": True,
        "labels": _json(labels), "buildargs": _json(own),
        "networkmode": "host" if network.on_this_machine(own) else "default",
        "memory": _MEMORY, "memswap": _MEMORY,
    }  # fmt: skip
    log = deque[str](maxlen=_EVENTS)
    problem, deadline = "", time.monotonic() + _SECONDS
    with failures("build a Dockerfile"):
        answer = client._post(  # noqa: SLF001 - docker-py's own wants a file for the context
            client._url("/build"), params=parameters, data=context, stream=True,  # noqa: SLF001
            headers={"Content-Type": "application/x-tar"}, timeout=_SECONDS,
        )  # fmt: skip
        with closing(answer):  # the engine gives a build up that nobody listens to any more
            client._raise_for_status(answer)  # noqa: SLF001
            for event in client._stream_helper(answer, decode=True):  # noqa: SLF001
                log.append(event.get("stream", "")[:_LONGEST])
                problem = event.get("error", problem)
                if time.monotonic() > deadline:
                    tail = "".join(log)[-_TAIL:]
                    raise ImageFailed(f"the Dockerfile was not built in {_SECONDS} s", tail)
    if problem:
        raise failed("the Dockerfile cannot be built", Done(1, "", "".join([*log, problem])))


def _flatten(client: Any, tag: str, labels: dict[str, str]) -> None:
    """Replace an image by one layer without the certificates and the variables that name them."""
    config = client.inspect_image(tag)["Config"]
    first = client.inspect_image(tag)["Id"]
    made = client.create_container_from_config({"Image": tag, "Entrypoint": ["x"], "Cmd": []})["Id"]
    try:
        with failures("flatten an image"):
            stream = without(client.export(made), _INSIDE.lstrip("/"))
            changes = [*_instructions(config), *(f'LABEL {k}="{v}"' for k, v in labels.items())]
            repository, _, name = tag.rpartition(":")
            client.import_image_from_stream(stream, repository, name, changes)
    finally:
        client.remove_container(made, force=True, v=True)
        client.remove_image(first, force=True)


def _instructions(config: dict[str, Any]) -> Iterator[str]:
    """Yield what of an image's settings goes on."""
    ours = network.trusting(_INSIDE)
    for item in config.get("Env") or []:
        name, _, value = item.partition("=")
        if ours.get(name) != value:
            yield f"ENV {name}={_json(value)}"
    for name, value in (config.get("Labels") or {}).items():
        yield f"LABEL {_json(name)}={_json(value)}"
    if config.get("WorkingDir"):
        yield f"WORKDIR {config['WorkingDir']}"
    if config.get("Cmd"):
        yield f"CMD {_json(config['Cmd'])}"


def without(stream: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield a tar stream again, without one file."""
    with tarfile.open(fileobj=_Reader(stream), mode="r|") as archive:
        for entry in archive:
            if entry.name == name:
                continue
            yield entry.tobuf(tarfile.PAX_FORMAT)
            file = archive.extractfile(entry) if entry.isreg() else None
            if file:
                while data := file.read(1 << 18):
                    yield data
                yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


class _Reader(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        return data
