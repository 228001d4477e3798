"""The `local` sandbox: boxes that are private folders, and processes of this machine.

For machines with no engine. Where Linux gives namespaces, a box has its own mounts, processes and
network; elsewhere it is a folder and limits alone, and `shortfalls` says what that does not hold.
A local image is a folder: `source` is the workspace to copy, `venv` (or whatever is on the image's
`PATH`) what it needs; `workspace` is an empty folder where the copy is seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from traceproof.sandbox.errors import ImageFailed, OutOfRoom, SandboxError
from traceproof.sandbox.local import boxfolder, machine, view
from traceproof.sandbox.local.box import LocalBox
from traceproof.sandbox.local.keeper.plan import Plan
from traceproof.sandbox.local.machine import Spaces
from traceproof.sandbox.protocol import Image, Setting

SOURCE = "source"
"""The workspace in an image's folder."""
_HERE = "box"
"""Where a box sees its own folder, in the image's."""
_PATH = "/usr/local/bin:/usr/bin:/bin"
_ANYWHERE = ("/home", "/root", "/tmp")  # noqa: S108 - folders are made at will where these are covered
_NO_ROOM = (28, 122)


class LocalSandbox:
    """Starts local boxes.

    Args:
        spaces: which namespaces the boxes get; None: what this machine allows. Empty: none.
    """

    name: Literal["local"] = "local"
    isolation: Literal["process"] = "process"

    def __init__(self, spaces: Spaces | None = None) -> None:
        self._spaces = machine.best() if spaces is None else spaces

    def shortfalls(self, setting: Setting) -> Mapping[str, str]:
        """Say what cannot be had here: see `protocol.Sandbox.shortfalls`."""
        found = {
            "cpus": "processes are not held to a share of the CPUs",
            "memory": "memory is held for each process; a whole box's is looked at once a second",
        }
        if self._spaces:
            return found
        if machine.private_user() < 0:
            found["users"] = "work and grade are both you"
        found["workspace"] = "each box has the workspace at a path of its own"
        found["temporary"] = "/tmp is this machine's; TMPDIR is the box's own"  # noqa: S108
        found["disk"] = "single files have a limit; all together have none"
        if not setting.network:
            found["network"] = "the network cannot be taken away"
        if setting.file_order is not None and not boxfolder.memory_serves():
            found["file_order"] = "no file system in memory: this one has an order of its own"
        if "users" in found:
            found["pids"] = "the limit is on all of your processes together"
        return found

    @contextmanager
    def start(
        self, image: Image, setting: Setting, on_report: Callable[[bytes], None] | None = None
    ) -> Iterator[LocalBox]:
        """Start a box: see `protocol.Sandbox.start`."""
        _check(image)
        user = machine.private_user()
        folder = self._make_folder(setting, user)
        try:
            plan = self._plan(image, setting, folder, user)
            box = LocalBox(
                folder,
                plan,
                environment=_environment(image, setting, plan),
                limits=setting.limits,
                on_report=on_report,
            )
        except BaseException:
            boxfolder.remove(folder)
            raise
        try:
            yield box
        finally:
            box.destroy()

    def _make_folder(self, setting: Setting, user: int) -> Path:
        in_memory = not self._spaces and setting.file_order is not None
        place = boxfolder.places(in_memory=in_memory and boxfolder.memory_serves())[0]
        try:
            return boxfolder.make(place, user)
        except OSError as error:
            if isinstance(error, SandboxError):
                raise
            kind = OutOfRoom if error.errno in _NO_ROOM else SandboxError
            raise kind(f"no folder for a local box at {place}: {error.strerror}") from error

    def _plan(self, image: Image, setting: Setting, folder: Path, user: int) -> Plan:
        limits = setting.limits
        seen = view.of(image, folder, network=setting.network, another_user=user >= 0)
        if not self._spaces and user >= 0:
            view.check_open([*seen.reveal, image.id, str(folder)])
        own = self._spaces and _can_be_had(image, seen.covers)
        return Plan(
            spaces=self._spaces,
            folder=str(folder),
            here=f"{image.id}/{_HERE}" if self._spaces else str(folder),
            source=f"{image.id}/{SOURCE}",
            workspace=image.workspace if own else _own_workspace(self._spaces, image, folder),
            covers=seen.covers,
            reveal=seen.reveal,
            network=setting.network,
            file_order=setting.file_order,
            work=user,
            memory=limits.memory,
            disk=limits.disk,
            pids=limits.pids if user >= 0 else limits.pids + _processes(),
            open_files=limits.open_files,
            file_size=limits.file_size,
        )


def _check(image: Image) -> None:
    if not Path(image.id, SOURCE).is_dir():
        raise ImageFailed(f"{image.id} is no local image: build it again")
    Path(image.id, _HERE).mkdir(exist_ok=True)


def _can_be_had(image: Image, covers: tuple[str, ...]) -> bool:
    """Say whether there can be a workspace at the image's path."""
    wanted = Path(image.workspace)
    if wanted.is_relative_to(image.id):
        return wanted.is_dir()
    return wanted.is_dir() or any(
        cover in covers and wanted.is_relative_to(cover) for cover in _ANYWHERE
    )


def _own_workspace(spaces: Spaces, image: Image, folder: Path) -> str:
    return f"{image.id}/{_HERE}/workspace" if spaces else f"{folder}/workspace"


def _environment(image: Image, setting: Setting, plan: Plan) -> dict[str, str]:
    """Return what commands start with; what named the image's workspace names the box's."""
    own = {"PATH": _PATH, "HOME": f"{plan.here}/home", "USER": "work", "LOGNAME": "work"}
    if not plan.spaces:
        own["TMPDIR"] = f"{plan.here}/tmp"  # noqa: S108 - likewise the box's own
    moved = {
        name: value.replace(image.workspace, plan.workspace)
        for name, value in image.environment.items()
    }
    return {**own, **moved, **setting.environment}


def _processes() -> int:
    """Count the threads of this user: the system's limit is on all of them together."""
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == os.geteuid():
                count += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208
        except (FileNotFoundError, ProcessLookupError):
            continue
    return count
