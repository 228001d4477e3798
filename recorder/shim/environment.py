"""The environment a command gets: the agent's, without what led it to our launchers."""

from __future__ import annotations


def restored(
    environment: list[bytes], folder: bytes, originals: dict[bytes, bytes | None]
) -> list[bytes]:
    """Return an environment as the user had it.

    A list of paths loses those in the folder. Where nothing is left, the variable is what it was.

    Args:
        environment: Entries `NAME=value`.
        folder: That of our launchers.
        originals: What variables were before the hook set them; none: unset. What is not named was
            unset.
    """
    found = []
    for entry in environment:
        name, _, value = entry.partition(b"=")
        if folder not in value:
            found.append(entry)
            continue
        left = [path for path in value.split(b":") if not _inside(path, folder)]
        original = originals.get(name)
        if left:
            found.append(name + b"=" + b":".join(left))
        elif original is not None:
            found.append(name + b"=" + original)
    return found


def edited(environment: list[bytes], edits: dict[bytes, bytes | None]) -> list[bytes]:
    """Return an environment with variables set, or unset where there is no value."""
    kept = [entry for entry in environment if entry.partition(b"=")[0] not in edits]
    added = [name + b"=" + value for name, value in edits.items() if value is not None]
    return kept + added


def _inside(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder + b"/")
