"""What is handed into a box for a session: the files beside the tests, the job, and the command.

All of it goes in by the command's standard input. The job holds the key with which reports are
sealed, and what stands in a command line or an environment can be read by the tests; and one more
command in the box would take longer than all the rest.
"""

from __future__ import annotations

import io
import marshal
import secrets
import sys
import tarfile
import time
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.util import MAGIC_NUMBER, source_hash

import msgspec

from traceproof.replay.inside.job import CLOCK, SWITCH, VARIABLE
from traceproof.replay.runs import Conditions, Session

NOT_HANDED_OVER = 119
"""The exit code when the job could not be written."""

SCRIPT = f"""
mask=$(umask)
umask 077
folder=$(mktemp -d "${{TMPDIR:-/tmp}}/tmpXXXXXXXX") && tar -xf - -C "$folder" ||
  exit {NOT_HANDED_OVER}
umask "$mask"
{VARIABLE}=$folder/job
PYTHONPATH=$folder/inside${{PYTHONPATH:+:$PYTHONPATH}}
export {VARIABLE} PYTHONPATH
load=$1
shift
while [ "$load" -gt 0 ]; do
  (while :; do :; done </dev/null >/dev/null 2>&1 &)
  load=$((load - 1))
done
unset folder mask load
exec "$@" </dev/null
"""
"""Takes what is handed in from stdin, starts the load, and becomes the command."""


def new_key() -> bytes:
    """Return a key for a session's reports."""
    return secrets.token_bytes(32)


def job(
    session: Session, conditions: Conditions, *, key: bytes, channel: str, root: str = ""
) -> bytes:
    """Return the job of a session as the box's side reads it.

    Args:
        session: what is asked for.
        conditions: what is around it.
        key: reports are sealed with it.
        channel: where they go.
        root: the workspace, whose code may not change pytest's; empty: where the command runs.
    """
    told = {"fixed_random": conditions.fixed_random, "key": key.hex(), "channel": channel}
    return msgspec.json.encode({**msgspec.to_builtins(session), **told, "root": root})


def command(argv: Sequence[str], load: int = 0) -> list[str]:
    """Return the command that takes the job and becomes `argv`."""
    return ["sh", "-c", SCRIPT, "sh", str(load), *argv]


def environment(conditions: Conditions) -> dict[str, str]:
    """Return what conditions add to the environment of the command."""
    made = {"PYTHONHASHSEED": str(conditions.hash_seed)}
    if conditions.clock:
        made[CLOCK] = f"{round(conditions.clock)}:{int(time.time())}"
    if conditions.switch_interval:
        made[SWITCH] = repr(conditions.switch_interval)
    if conditions.timezone:
        made["TZ"] = conditions.timezone
    if conditions.locale:
        made["LC_ALL"] = made["LANG"] = conditions.locale
    return made


def tar(job: bytes) -> bytes:
    """Return the job and the files beside the tests, as a tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in {"job": job, **_files()}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@cache
def _files() -> dict[str, bytes]:
    """Return the sources and, for a Python like this one, what they are compiled to.

    Each session compiles them anew otherwise: a box keeps nothing.
    """
    folder = sorted(files("traceproof.replay.inside").iterdir(), key=lambda one: one.name)
    sources = {one.name: one.read_bytes() for one in folder if one.name.endswith(".py")}
    made = {f"inside/{name}": source for name, source in sources.items()}
    for name, source in sources.items():
        stem = name.removesuffix(".py")
        made[f"inside/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"] = _compiled(
            name, source
        )
    return made


def _compiled(name: str, source: bytes) -> bytes:
    """Return a file of bytecode, as PEP 552 has it, that is not compared with its source."""
    code = compile(source, f"inside/{name}", "exec", dont_inherit=True, optimize=0)
    unchecked = (1).to_bytes(4, "little")
    return MAGIC_NUMBER + unchecked + source_hash(source) + marshal.dumps(code)
