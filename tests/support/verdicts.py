"""Verdicts to write, export and draw: one of everything, and the same under hostile names."""

from __future__ import annotations

from traceproof.replay.runs import Conditions, Session
from traceproof.replay.verdict import (
    Budgets,
    Cause,
    Control,
    Demonstration,
    Environment,
    Rate,
    RunRecord,
    Seen,
    SessionRecord,
    Subject,
    TestVerdict,
    Verdict,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
EVIL = "t/<script>alert(1)</script>.py::test_\u202eevil\u2066 & \"q\" 'x' \x00\x1b[31m</td>]]>"
POLLUTER = "tests/test_a.py::test_polluter"


def verdict(*tests: TestVerdict, **changes: object) -> Verdict:
    """Return a verified repair with these tests, or with one of each class."""
    listed = tests or every_class()
    unsteady = tuple(t.test for t in listed if t.class_ in ("flaky", "fragile"))
    steady = [t for t in listed if t.class_ == "steady"]
    told = {
        "class_": "steady",
        "outcome": "resolved",
        "verified": True,
        "reason": "1 fail before and pass after; what counts is steady, 2 taken out",
        "causes": ("order", "randomness"),
        "task": "repair",
        "subject": subject(),
        "environment": environment(),
        "budgets": Budgets(max_flake_rate=0.05, confidence=0.95, runs=59, needed=59, seconds=0),
        "seed": 7,
        "controls": (_control("base", failed=1), _control("final", failed=0)),
        "tests": listed,
        "fail_to_pass": tuple(t.test for t in steady if t.set == "fail_to_pass"),
        "pass_to_pass": tuple(t.test for t in steady if t.set == "pass_to_pass"),
        "taken_out": unsteady,
        "runs": (_run("final/same/1"), _run("final/order/1")),
        "notes": ("network was left out: it is not allowed",),
        "started": 1_795_211_510.9,
        "seconds": 209.1,
        "version": "0.1.0",
    }
    return Verdict(**(told | changes))  # type: ignore[arg-type]


def every_class() -> tuple[TestVerdict, ...]:
    """Return a fixed test, a kept one, a failure, an error, a skipped, a fragile, a flaky one."""
    return (
        steady("tests/test_a.py::test_fixed", set="fail_to_pass", before="failed"),
        steady(POLLUTER, set="pass_to_pass", before="passed"),
        steady("tests/test_b.py::test_wrong", outcome="failed", message="ValueError: no"),
        steady("tests/test_c.py", outcome="error", message="ImportError: gone"),
        steady("tests/test_b.py::test_off", outcome="skipped", message="not here"),
        victim("tests/test_a.py::TestB::test_victim[1-a.b]"),
        random_one("tests/test_b.py::test_random"),
    )


def steady(test: str, outcome: str = "passed", **more: object) -> TestVerdict:
    """Return a test that always comes out so."""
    failures = 59 if outcome in ("failed", "error") else 0
    return TestVerdict(
        test=test,
        class_="steady",
        outcome=outcome,  # type: ignore[arg-type]
        runs=59,
        failures=failures,
        errors=failures if outcome == "error" else 0,
        bound=0.0495,
        seconds=0.0123,
        axes={"order": Rate(runs=21, flips=0), "clock": Rate(runs=6, flips=0)},
        **more,  # type: ignore[arg-type]
    )


def victim(test: str, polluter: str = POLLUTER) -> TestVerdict:
    """Return a test that fails after another."""
    shown = Demonstration(
        run="final/probe/1#0",
        outcome="failed",
        conditions=Conditions(),
        session=Session(seed=1, tests=(polluter, test)),
        command=f"python -m pytest '{polluter}' '{test}'",
    )
    cause = Cause(
        name="order",
        text="fails after another test; passes alone",
        axis="order",
        value="reverse",
        role="victim",
        others=((polluter,),),
        with_cause=Rate(runs=2, flips=2),
        without=Rate(runs=2, flips=0),
        shown=shown,
        contrast=shown,
    )
    flips = tuple(_seen(f"final/order/1#{k}", "failed") for k in range(3))
    return TestVerdict(
        test=test,
        class_="fragile",
        outcome="passed",
        set="pass_to_pass",
        before="passed",
        runs=59,
        bound=0.0495,
        axes={"order": Rate(runs=21, flips=10), "twice": Rate(runs=4, flips=4)},
        causes=(cause,),
        seen=flips,
    )


def random_one(test: str, usual: str = "passed") -> TestVerdict:
    """Return a test that chance decides."""
    other = "failed" if usual == "passed" else "passed"
    text = "the seed of Python's random numbers decides"
    return TestVerdict(
        test=test,
        class_="flaky",
        outcome=usual,  # type: ignore[arg-type]
        runs=59,
        flips=13,
        failures=13 if usual == "passed" else 46,
        bound=0.327,
        axes={"order": Rate(runs=21, flips=0)},
        causes=(Cause(name="randomness", text=text, axis="random"),),
        seen=(_seen("final/same/5#0", other), _seen("final/same/6#0", other)),
        message="AssertionError: 0.9 < 0.8",
        detail="assert random.random() < 0.8",
        agent_written=True,
    )


def subject() -> Subject:
    """Return a subject with all its facts."""
    return Subject(
        trace="20261120T215049Z-agent-095d6c978f8f.otlp.jsonl.zst",
        trace_sha256="ab" * 32,
        repository="https://example.org/team/project.git",
        commit=COMMIT,
        patch_sha256="cd" * 32,
        base_tree="12" * 32,
        final_tree="34" * 32,
        command=("python", "-m", "pytest", "-q"),
        folder="sub",
        environment={"MODE": "a b"},
        agent_written=("tests/test_b.py",),
        runs_file="20261120T215049Z-agent-095d6c978f8f.runs.jsonl.zst",
        runs_sha256="ef" * 32,
    )


def environment() -> Environment:
    """Return where it ran, with all facts."""
    return Environment(
        sandbox="docker",
        isolation="container",
        final_image="sha256:" + "0" * 64,
        lock_sha256="56" * 32,
        lock={"python": "3.11.7", "packages": [{"name": "pytest", "version": "9.2.0"}]},
        limits={"memory": 4 * 2**30, "cpus": 1.0, "pids": 512},
        not_held=("cpus: a share cannot be held",),
    )


def _seen(run: str, outcome: str) -> Seen:
    return Seen(run=run, outcome=outcome, phase="call", message="AssertionError: 0.9 < 0.8")  # type: ignore[arg-type]


def _control(tree: str, failed: int) -> Control:
    return Control(
        tree=tree,  # type: ignore[arg-type]
        run=f"{tree}/same/1#0",
        complete=True,
        tests=7,
        passed=6 - failed,
        failed=failed,
        skipped=1,
        seconds=1.6,
        output="one went wrong" if failed else "",
    )


def _run(id_: str) -> RunRecord:
    session = SessionRecord(label="as is", seed=1, tests=7, outcomes={"passed": 6, "failed": 1})
    return RunRecord(id=id_, tree="final", axis="same", sessions=(session,), seconds=1.8)
