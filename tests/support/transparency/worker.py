"""Runs commands as an agent does, one at a time, and says all that can be seen of each afterwards.

A program of its own (it forks, so it has one thread), by path with `python -I -S`: jobs come on
descriptor 0, marshalled, and outcomes go out on descriptor 1. It adopts what its commands leave in
the background, and a job is over only when the last process of it is.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import shutil
import signal
import sys
from typing import Any

sys.path.insert(0, __file__.rpartition("/support/")[0])

from support.transparency import places, stdio, talk

Job = dict[str, Any]
Outcome = dict[str, Any]

_SUBREAPER = 36
_FAILED = 99


def main() -> None:
    """Take jobs until there are no more."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    jobs, outcomes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, _late)
    while True:
        try:
            job = marshal.load(jobs)
        except EOFError:
            return
        marshal.dump(run(job), outcomes)
        outcomes.flush()


def run(job: Job) -> Outcome:
    """Run one command; return what it did."""
    signal.alarm(job["patience"])
    talks: list[talk.Talk] = []
    try:
        return _run(job, talks)
    except TimeoutError:
        said = [repr(one.said()).encode() for one in talks]
        return {"late": [*_end_all(), *said]}
    finally:
        signal.alarm(0)
        shutil.rmtree(job["folder"], ignore_errors=True)


def _run(job: Job, talks: list[talk.Talk]) -> Outcome:
    folder = job["folder"]
    shutil.rmtree(folder, ignore_errors=True)
    inner = os.path.join(folder, "cwd")  # noqa: PTH118
    os.makedirs(inner)  # noqa: PTH103
    for name, (content, mode) in job["files"].items():
        places.make(os.path.join(inner, name), content, mode)  # noqa: PTH118
    three = stdio.Stdio(folder, job)
    pid, leader = _start(job, inner, three)
    three.started()
    talked = talk.Talk(job, three, pid)
    talks.append(talked)
    if leader is not None:
        os.write(leader[1], b"w")
    status = talked.until_over()
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    if leader is not None:
        status = int.from_bytes(os.read(leader[0], 8), "little")
        for end in leader:
            os.close(end)
    said = {"pid": pid, "status": status, "files": places.tree(inner)}
    return said | talked.said() | three.left()


def _start(job: Job, inner: str, three: stdio.Stdio) -> tuple[int, tuple[int, int] | None]:
    """Fork the command; return its pid, and for a member of a group the pipes to its leader."""
    if job["session"] != "member":
        pid = os.fork()
        if not pid:
            _become(job, inner, three)
        return pid, None
    reads, writes = os.pipe()
    waits, lets = os.pipe()
    if not os.fork():
        os.close(lets)
        _lead(job, inner, three, (waits, writes))
    os.close(writes)
    os.close(waits)
    return int.from_bytes(os.read(reads, 8), "little"), (reads, lets)


def _lead(job: Job, inner: str, three: stdio.Stdio, ends: tuple[int, int]) -> None:
    """Be the leader of a session, as a user's shell is, and start the command in our group."""
    waits, writes = ends
    os.setsid()
    three.control()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, _nothing)
    pid = os.fork()
    if not pid:
        _become(job, inner, three)
    os.write(writes, pid.to_bytes(8, "little"))
    three.close_all()
    os.read(waits, 1)  # until the worker watches the process
    _, status = os.waitpid(pid, 0)
    os.write(writes, status.to_bytes(8, "little"))
    os._exit(0)


def _become(job: Job, inner: str, three: stdio.Stdio) -> None:
    try:
        if job["session"] == "leader":
            os.setsid()
            three.control()
        elif job["session"] == "group":
            os.setpgid(0, 0)
        os.chdir(inner)
        three.enter()
        _inherit(job)
        os.execve(job["path"], job["argv"], job["env"])
    except BaseException as error:  # noqa: BLE001
        os.write(2, f"worker: {error!r}\n".encode())
    finally:
        os._exit(_FAILED)


def _inherit(job: Job) -> None:
    """Make of this process what the command is to inherit."""
    os.umask(job["umask"])
    for name, limits in job["limits"].items():
        resource.setrlimit(getattr(resource, name), limits)
    if job["nice"]:
        os.nice(job["nice"])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in job["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, job["blocked"])
    if job["alarm"]:
        signal.setitimer(signal.ITIMER_REAL, job["alarm"])
    if job["deleted"]:
        os.rmdir(os.getcwd())  # noqa: PTH106, PTH109


def _nothing(*_: object) -> None:
    """Handle a signal."""


def _late(*_: object) -> None:
    raise TimeoutError


def _end_all() -> list[bytes]:
    """Kill everything that still runs, and return what it was."""
    found = []
    while children := _children():
        for pid in children:
            found.append(places.read(f"/proc/{pid}/cmdline").replace(b"\0", b" "))
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                continue
    return found


def _children() -> list[int]:
    text = places.read(f"/proc/self/task/{os.getpid()}/children")
    return [int(word) for word in text.split()]


if __name__ == "__main__":
    main()
