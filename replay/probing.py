"""What an environment knows, and a sandbox holds: time zones, locales, the tests' program, axes.

An axis that sets what is not there would show a difference that is none of the tests'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from traceproof.replay.options import AXES, Options
from traceproof.replay.runs import Axis
from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.protocol import Box, Limits, Sandbox, Setting

_SECONDS = 60.0
_NEEDS: dict[Axis, str] = {"slow_cpu": "cpus", "file_order": "file_order", "network": "network"}
"""What an axis needs a sandbox to hold."""

_PERTURBED = Setting(limits=Limits(cpus=0.25), file_order=1)
_SCRIPT = """
cd "$3" 2>/dev/null && echo folder
for zone in $1; do
    for folder in /usr/share/zoneinfo /usr/lib/zoneinfo; do
        if [ -e "$folder/$zone" ]; then echo "zone $zone"; break; fi
    done
done
locale -a 2>/dev/null | while read -r name; do echo "locale $name"; done
if command -v "$2" >/dev/null 2>&1; then echo found; fi
echo all
"""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and is there."""

    timezones: tuple[str, ...]
    locales: tuple[str, ...]
    program: bool
    """Whether the test command's program is found."""
    folder: bool = True
    """Whether there is the folder where it runs."""


def probe(box: Box, options: Options, program: str, *, cwd: str = ".") -> Known:
    """Look at a started box.

    Args:
        box: one of the environment's.
        options: which time zones and locales are wanted.
        program: the test command's first word.
        cwd: where the test command runs.

    Raises:
        SandboxError: the provider failed, or nothing can be run in the box.
    """
    argv = ["sh", "-c", _SCRIPT, "sh", " ".join(options.timezones), program, cwd]
    done = box.run(argv, seconds=_SECONDS)
    told = done.stdout.decode(errors="replace").splitlines()
    if told[-1:] != ["all"]:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        what = "nothing can be run in a box; has it too little memory?"
        raise SandboxError(" ".join([what, *said]))
    zones = {line.removeprefix("zone ") for line in told if line.startswith("zone ")}
    locales = {_plain(line.removeprefix("locale ")) for line in told if line.startswith("locale ")}
    return Known(
        timezones=tuple(zone for zone in options.timezones if zone in zones),
        locales=tuple(name for name in options.locales if name == "C" or _plain(name) in locales),
        program="found" in told,
        folder="folder" in told,
    )


def only_known(options: Options, known: Known) -> Options:
    """Return options with the time zones and locales that there are."""
    return msgspec.structs.replace(options, timezones=known.timezones, locales=known.locales)


def can_be_had(axes: Iterable[Axis], sandbox: Sandbox) -> tuple[Axis, ...]:
    """Return the axes that a sandbox can set: where it has no say, nothing would be shown."""
    lacks = sandbox.shortfalls(_PERTURBED)
    return tuple(axis for axis in axes if _NEEDS.get(axis) not in lacks)


def left_out(axes: Sequence[Axis], sandbox: Sandbox) -> Iterator[str]:
    """Say why axes that were asked for by name cannot be had."""
    if tuple(axes) == AXES:
        return
    lacks = sandbox.shortfalls(_PERTURBED)
    for axis in axes:
        if _NEEDS.get(axis) in lacks:
            yield f"the axis {axis} is left out: {lacks[_NEEDS[axis]]}"


def _plain(name: str) -> str:
    """Return a locale's name as all spellings of it have it: `tr_TR.UTF-8` is `tr_tr.utf8`."""
    return name.lower().replace("-", "")
