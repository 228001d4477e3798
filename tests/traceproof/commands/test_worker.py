from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import made
from support.otlp_server import OtlpServer, Reply
from traceproof.recorder.store import SUFFIX, Store
from traceproof.worker import life

Done = Any


def without_snapshots(project: Path) -> Path:
    store = Store(project / ".traceproof")
    store.create()
    path = store.traces_path / f"20260102T030405Z-agent-0af7651916cd{SUFFIX}"
    made.write(path)
    return path


def test_traces_are_pushed_once(trace: Path, cli: Callable[..., Done]) -> None:
    with OtlpServer() as server:
        arguments = ("worker", "push", "--once", "--json", "--", "--endpoint", server.url)
        first, second = cli(*arguments), cli(*arguments)

    assert (first.code, second.code) == (0, 0)
    assert f"traceproof: push: {trace.name}: done, " in first.err
    assert (first.json["done"], second.json["done"]) == (1, 0)
    assert len(server.asked) == 1


def test_a_server_that_takes_nothing_is_a_failed_environment(
    trace: Path, cli: Callable[..., Done]
) -> None:
    with OtlpServer(always=Reply(403, text="no")) as server:
        done = cli("worker", "push", "--once", "--", "--endpoint", server.url)

    assert done.code == 3
    assert f"{trace.name}: the environment failed: " in done.err
    assert "answered 403" in done.err


def test_a_trace_without_snapshots_cannot_be_verified_and_says_what_would_help(
    project: Path, cli: Callable[..., Done]
) -> None:
    without_snapshots(project)

    first, second = (cli("worker", "verify", "--once") for _ in range(2))

    assert (first.code, second.code) == (0, 0)
    assert "cannot be: " in first.err
    assert "no snapshots of the workspace" in first.err
    assert "1 that cannot be" in first.err
    assert "0 that cannot be" in second.err


def test_a_trace_whose_subject_is_named_gets_its_verdict(
    project: Path, cli: Callable[..., Done]
) -> None:
    path = without_snapshots(project)
    code = project / "code"
    code.mkdir()
    (code / "test_a.py").write_text(
        "import unittest\n\n\nclass A(unittest.TestCase):\n    def test(self):\n        pass\n"
    )
    stem = path.name.removesuffix(SUFFIX)
    path.with_name(f"{stem}.subject.toml").write_text(
        f"repo = '{code}'\ntests = 'python -m unittest -q'\npatch = 'a.patch'\n"
    )
    path.with_name("a.patch").write_text(
        "diff --git a/b.txt b/b.txt\nnew file mode 100644\n"
        "--- /dev/null\n+++ b/b.txt\n@@ -0,0 +1 @@\n+b\n"
    )
    options = ("--sandbox", "local", "--runs", "2", "--axes", "none")

    done = cli("worker", "verify", "--once", "--", *options)

    assert done.code == 0, done.err
    assert "the answer is no" in done.err  # nothing failed before that passes now
    verdict = json.loads(path.with_name(f"{stem}.verdict.json").read_bytes())
    assert verdict["subject"]["trace"] == path.name
    assert len(verdict["subject"]["trace_sha256"]) == 64
    assert (verdict["class"], verdict["budgets"]["runs"]) == ("inconclusive", 2)


def test_wrong_options_are_wrong_usage_before_anything_is_done(
    trace: Path, here: Callable[..., Done]
) -> None:
    for arguments, said in (
        (["verify", "--", "--runs", "few"], "'--runs'"),
        (["verify", "--", "--no-such"], "--no-such"),
        (["push", "--once"], "nowhere to push to"),
        (["push", "--clone-from", "https://example.org"], "--clone-from goes with"),
        (["verify", "--every", "soon"], "--every"),
        (["verify", "--every", "0"], "--every '0': 0.1 s is the least"),
        (["sing"], "'sing'"),
    ):
        done = here("worker", *arguments)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
    assert sorted(path.name for path in trace.parent.iterdir()) == [trace.name]


def test_without_a_worker_the_check_says_no(project: Path, here: Callable[..., Done]) -> None:
    del project
    done = here("worker", "push", "--check")

    assert (done.code, done.err) == (1, "traceproof: push: no worker runs\n")


def test_a_worker_is_well_until_a_signal_ends_it(
    project: Path, env: dict[str, str], here: Callable[..., Done]
) -> None:
    store = Store(project / ".traceproof")
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "traceproof", "worker", "verify", "--store", str(store.path)],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "at work on" in process.stderr.readline()
        deadline = time.monotonic() + 20
        while not life.path_of(store, "verify").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        well = here("worker", "verify", "--check", "--json")
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stderr.read()

    assert (well.code, well.json["well"], well.json["worker"]["pid"]) == (0, True, process.pid)
    assert process.returncode == 0
    assert rest.endswith("verify: 0 done, 0 that cannot be, 0 failures of the environment; ended\n")
    assert here("worker", "verify", "--check").code == 1
