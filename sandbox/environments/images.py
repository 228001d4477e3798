"""Images of the engine: finding those that were made before, and the one to start from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from traceproof.sandbox.docker.client import failures
from traceproof.sandbox.errors import ImageFailed
from traceproof.sandbox.layout import LABEL

KIND: Final = "traceproof.kind"
KEY: Final = "traceproof.key"
DEBIAN: Final = "traceproof/base"
"""What `traceproof sandbox base` makes, tagged with the Debian suite."""
_OURS: Final = "traceproof/"
_HUB: Final = re.compile(r"^((index|registry-1)\.)?docker\.io/")
_SUITES: Final = ("bookworm", "trixie")
_PULL: Final = 1800


class Found(NamedTuple):
    """An image to start from."""

    id: str
    reference: str
    digest: str
    """In its registry: `name@sha256:…`; empty for an imported one."""
    path: str
    """Its own `PATH`."""


def made(client: Any, kind: str, key: str) -> str:
    """Return the id of an image that was built before; empty where there is none.

    Labels do not tell: whoever makes an image, or a stage of one, gives it those of his choice, and
    another project would be run in it. Names of ours are given by us alone.
    """
    wanted = [f"{LABEL}=1", f"{KIND}={kind}", f"{KEY}={key}"]
    with failures("look for an image that was built before"):
        found = client.images(filters={"label": wanted})
    named = (it for it in found if any(_is_for(tag, kind, key) for tag in it["RepoTags"] or ()))
    return next((str(image["Id"]) for image in named), "")


def _is_for(tag: str, kind: str, key: str) -> bool:
    if kind == "base":
        return tag.startswith(f"{DEBIAN}:") or tag == f"{_OURS}dockerfile:{key[:16]}"
    return tag == f"{_OURS}{kind}:{key[:16]}"


def look(client: Any, reference: str) -> Found | None:
    """Return an image that the engine has."""
    import docker.errors  # noqa: PLC0415 - an extra

    with failures(f"look at the image {reference}"):
        try:
            about = client.inspect_image(reference)
        except docker.errors.ImageNotFound:
            return None
    digests = sorted(about.get("RepoDigests") or [])
    variables = dict(item.split("=", 1) for item in (about["Config"] or {}).get("Env") or [])
    return Found(about["Id"], reference, digests[0] if digests else "", variables.get("PATH", ""))


def named(client: Any, reference: str, progress: Callable[[str], None]) -> Found:
    """Return the image of a name or digest; it is fetched if the engine does not have it.

    Raises:
        ImageFailed: there is none, or no registry answers; or it has a name of ours.
    """
    found = look(client, reference)
    if found:
        return found
    if _HUB.sub("", reference).startswith(_OURS):
        raise ImageFailed(f"{reference} is not here: images of that name are made, never fetched")
    progress(f"fetching the image {reference}")
    _pull(client, reference)
    found = look(client, reference)
    if not found:
        raise ImageFailed(f"the registry sent another image than {reference}")
    return found


def debian(client: Any) -> Found | None:
    """Return a base that `traceproof sandbox base` made."""
    return next(filter(None, (look(client, f"{DEBIAN}:{suite}") for suite in _SUITES)), None)


def _pull(client: Any, reference: str) -> None:
    name, tag = _split(reference)
    last = ""
    with failures(f"fetch the image {reference}"):
        answer = client._post(  # noqa: SLF001 - docker-py's own pull has no time limit of its own
            client._url("/images/create"),  # noqa: SLF001
            params={"fromImage": name, "tag": tag}, stream=True, timeout=_PULL,
        )  # fmt: skip
        client._raise_for_status(answer)  # noqa: SLF001
        for event in client._stream_helper(answer, decode=True):  # noqa: SLF001
            last = event.get("error", last)
    if last:
        raise ImageFailed(f"the image {reference} cannot be fetched: {last[:300]}")


def _split(reference: str) -> tuple[str, str]:
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, colon, tag = reference.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (reference, "latest")
