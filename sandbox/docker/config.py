"""What is asked of the engine for a box: the API's words for an image and a setting. No calls."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

from traceproof.sandbox import owner
from traceproof.sandbox.docker import scripts
from traceproof.sandbox.layout import (
    GRADE,
    HOME,
    HOSTNAME,
    LABEL,
    OURS,
    OWNER_LABEL,
    WORK,
)
from traceproof.sandbox.protocol import MIB, Image, Limits, Setting

OURS_BYTES = 256 * MIB
SMALL_BYTES = 64 * MIB
INODES = 1_000_000
OWN_PROCESSES = 8
"""The box's init, shell and `cat`, and what watches over a command."""

OOM_SCORE = 500
"""When the machine itself runs out of memory, boxes go first."""


def labels() -> dict[str, str]:
    """Return the labels of whatever this process makes with an engine."""
    return {LABEL: "1", OWNER_LABEL: str(owner.me())}


def container(
    image: Image, setting: Setting, runtime: str = "", volumes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the body of the request that creates a box's container.

    Args:
        image: what it is made from.
        setting: how it is.
        runtime: the engine's runtime; empty: its default.
        volumes: what the image declares as volumes.
    """
    limits = setting.limits
    host: dict[str, Any] = {
        "AutoRemove": True,
        "Init": True,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "NetworkMode": "bridge" if setting.network else "none",
        "IpcMode": "private",
        "ShmSize": SMALL_BYTES,
        "ExtraHosts": [f"{HOSTNAME}:127.0.0.1"],
        "Tmpfs": mounts(image.workspace, limits, volumes),
        "LogConfig": {"Type": "none"},
        "OomScoreAdj": OOM_SCORE,
        "PidsLimit": limits.pids + OWN_PROCESSES,
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "NanoCpus": round(limits.cpus * 1e9),
        "Ulimits": [
            _ulimit("nofile", limits.open_files),
            _ulimit("fsize", limits.file_size),
            _ulimit("core", 0),
        ],
    }
    return {
        "Image": image.id,
        "Hostname": HOSTNAME,
        "User": f"{GRADE}:{GRADE}",
        "WorkingDir": "/",
        "Entrypoint": ["/bin/sh", "-c", scripts.MAIN],
        "Cmd": [],
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": labels(),
        "HostConfig": host | ({"Runtime": runtime} if runtime else {}),
    }


def mounts(workspace: str, limits: Limits, volumes: Sequence[str] = ()) -> dict[str, str]:
    """Return the file systems in memory, by where they are, with their options.

    What an image declares as volumes is among them: else each would be a folder of this machine's
    disk, without a limit, and as the session before left it.
    """
    half = limits.disk // 2
    return {posixpath.normpath(path): _tmpfs(half, WORK, 0o755) for path in volumes} | {
        OURS: _tmpfs(OURS_BYTES, GRADE, 0o755),
        "/tmp": _tmpfs(half, 0, 0o1777),  # noqa: S108 - the box's own
        "/var/tmp": _tmpfs(SMALL_BYTES, 0, 0o1777),  # noqa: S108
        "/run": _tmpfs(SMALL_BYTES, WORK, 0o755),
        HOME: _tmpfs(half, WORK, 0o700),
        workspace: _tmpfs(limits.disk, WORK, 0o755),
    }


def _tmpfs(size: int, user: int, mode: int) -> str:
    return (
        f"rw,exec,nosuid,nodev,size={size},nr_inodes={INODES},uid={user},gid={user},mode={mode:o}"
    )


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}
