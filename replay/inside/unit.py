"""The same for unittest: arranges the tests that a runner of unittest's is given, and reports them.

`python -m unittest`, Django and others run their suite by `TextTestRunner`; the first of them in a
process that is not pytest's is heard. Tests within tests are not.
"""

import copy
import platform
import traceback
import unittest
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import groups, guard, seeds, start, threads
from . import job as jobs
from .job import Job
from .reports import DETAIL, MESSAGE
from .wire import Wire, plain

NAMES = 50
LOADER = "unittest.loader."
"""What the names of tests that could not be loaded begin with, up to their class's."""


def arm(runner_module: Any) -> None:
    """Have the first suite that is run in this process looked at."""
    original = runner_module.TextTestRunner.run
    seen = jobs.peek()
    watching = None
    if seen is not None:  # before any module of tests is imported
        seeds.seed(seen[0])
        watching = guard.Guard(seen[1])

    def run(self: Any, test: Any) -> Any:
        job = start.claim()
        if job is None:
            return original(self, test)
        start.forget()
        return original(self, Watched(test, job, watching or guard.Guard(job.root)))

    runner_module.TextTestRunner.run = run


def flat(suite: Any) -> List[Any]:
    """Return the tests of a suite, in their order."""
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for member in suite for test in flat(member)]


class Watched(unittest.TestSuite):
    """A suite that arranges another one's tests, and reports them."""

    def __init__(self, suite: Any, job: Job, watching: guard.Guard) -> None:
        super().__init__()
        self._job = job
        self._guard = watching
        self._wire = Wire(job.channel, job.key)
        python, clock = platform.python_version(), start.state["clock"]
        self._wire.send("hello", runner="unittest", python=python, clock=clock)
        self._tests = flat(suite)
        self._collected()
        plain = job.tests is None and not job.shuffle and not job.twice
        self._suite = suite if plain else unittest.TestSuite(self._arranged())

    def _collected(self) -> None:
        names = [name(test) for test in self._tests if not _unloaded(test)]
        for place in range(0, len(names), NAMES):
            self._wire.send("collected", tests=names[place : place + NAMES])

    def _arranged(self) -> List[Any]:
        tests = self._tests
        if self._job.tests is not None:
            by_name = {name(test): test for test in reversed(tests)}
            tests = [by_name[one] for one in self._job.tests if one in by_name]
        entries = [(path(test), test) for test in tests]
        tests = groups.arrange(entries, self._job.shuffle, self._job.seed)
        if not self._job.twice:
            return tests
        again = [copy.copy(test) for test in tests]
        if self._job.twice == "suite":
            return tests + again
        return [one for pair in zip(tests, again) for one in pair]

    def countTestCases(self) -> int:  # noqa: N802 -- unittest's name
        """Return how many tests there are."""
        return int(self._suite.countTestCases())

    def run(self, result: Any, debug: bool = False) -> Any:  # noqa: ARG002
        """Run the tests, and report them."""
        seeds.seed(self._job.seed)
        seeds.seed_numpy(self._job.seed)
        watch = Watch(self._job, self._wire, _shared(self._tests), self._guard)
        watch.look_at(result)
        result.failfast = False
        before = _failures(result)
        self._suite.run(result)
        watch.end(_failures(result) - before)
        self._job.put_back(jobs.next_key(self._job.key))
        return result


def _failures(result: Any) -> int:
    unexpected = len(getattr(result, "unexpectedSuccesses", ()))
    return len(result.failures) + len(result.errors) + unexpected


def name(test: Any) -> str:
    """Return the id of a test; of one that could not be loaded, its module's."""
    text = str(plain(test.id()))
    return text[len(LOADER) :].partition(".")[2] if _unloaded(test) else text


def _unloaded(test: Any) -> bool:
    return str(test.id()).startswith((LOADER + "_FailedTest.", LOADER + "ModuleImportFailure."))


def path(test: Any) -> Tuple[str, ...]:
    """Return what a test shares with others: its module's set-up, its class's."""
    import sys  # noqa: PLC0415 -- tests may replace what is in it

    module = sys.modules.get(type(test).__module__)
    shared = []
    if hasattr(module, "setUpModule") or hasattr(module, "tearDownModule"):
        shared.append(type(test).__module__)
    if isinstance(test, unittest.TestCase) and groups.class_fixture(type(test)):
        shared.append("%s.%s" % (type(test).__module__, type(test).__qualname__))
    return tuple(shared)


def _shared(tests: List[Any]) -> Dict[str, str]:
    paths = {name(test): path(test) for test in tests}
    counts: Dict[str, int] = {}
    for shared in paths.values():
        for one in shared:
            counts[one] = counts.get(one, 0) + 1
    return {
        test: groups.SEPARATOR.join(one for one in shared if counts[one] > 1)
        for test, shared in paths.items()
    }


class Watch(object):
    """Looks on at a result, and reports each execution of a test."""

    def __init__(self, job: Job, wire: Wire, shared: Dict[str, str], watching: guard.Guard) -> None:
        import time  # noqa: PLC0415 -- taken now: tests may replace what is in it

        self._clock = time.perf_counter
        self._wire = wire
        self._guard = watching
        self._threads = threads.counter()
        self._fixed = seeds.Fixed(job.seed) if job.fixed_random else None
        self._shared = shared
        self._counts: Dict[str, int] = {}
        self._case: Optional[Dict[str, Any]] = None
        self._began: Tuple[float, int] = (0.0, 0)
        self._end = {"cases": 0, "failed": 0}

    def look_at(self, result: Any) -> None:
        """Have a result tell."""
        for method, look in (
            ("startTest", self._start), ("stopTest", self._stop),
            ("addError", self._error), ("addFailure", self._failure),
            ("addSubTest", self._subtest), ("addSkip", self._skip),
            ("addExpectedFailure", self._expected), ("addUnexpectedSuccess", self._unexpected),
        ):  # fmt: skip
            setattr(result, method, _first(look, getattr(result, method)))

    def _start(self, test: Any) -> None:
        test_name = name(test)
        repeat = self._counts.get(test_name, 0)
        self._counts[test_name] = repeat + 1
        self._case = {"test": test_name, "repeat": repeat, "outcome": "passed", "failed": 0}
        if _unloaded(test):
            self._case["phase"] = "collect"
        else:
            self._case["group"] = self._shared.get(test_name, "")
            self._wire.send("start", test=test_name, repeat=repeat)
        if self._fixed is not None:
            self._fixed.begin(test_name, repeat)
        self._began = self._clock(), self._threads()

    def _stop(self, test: Any) -> None:
        if self._case is None or self._case["test"] != name(test):
            return
        case, self._case = self._case, None
        case.update(seconds=self._clock() - self._began[0])
        case.update(threads=self._threads() - self._began[1])
        self._send(case)
        self._look(now=False)

    def _look(self, *, now: bool) -> None:
        """Report a function of unittest's that the project has replaced."""
        changed = self._guard.look(now=now)
        if changed:
            self._wire.send("problem", text=guard.TAMPERED % changed)

    def _send(self, case: Dict[str, Any]) -> None:
        self._end["cases"] += 1
        self._end["failed"] += case["failed"]
        self._wire.send("case", **case)

    def _error(self, test: Any, error: Any) -> None:
        if not isinstance(test, unittest.TestCase) and not hasattr(test, "countTestCases"):
            return
        if self._case is None or self._case["test"] != name(test):
            self._holder(test, error)
            return
        unloaded = self._case.get("phase") == "collect"
        phase = "collect" if unloaded else _phase(error, test)
        self._fails("failed" if phase == "call" else "error", error, phase)

    def _holder(self, test: Any, error: Any) -> None:
        """Report the set-up of a class or a module that failed: `setUpClass (module.Class)`."""
        what, _, place = name(test).partition(" (")
        case = {"test": place.rstrip(")") or what, "outcome": "error", "phase": "collect"}
        self._send(dict(case, failed=1, **_told(error)))

    def _failure(self, test: Any, error: Any) -> None:  # noqa: ARG002
        self._fails("failed", error, "call")

    def _subtest(self, test: Any, subtest: Any, error: Any) -> None:  # noqa: ARG002
        if error is not None:
            self._fails("failed", error, "call")

    def _fails(self, outcome: str, error: Any, phase: str) -> None:
        if self._case is None:
            return
        self._case["failed"] += 1
        if self._case["outcome"] not in ("failed", "error"):
            self._case.update(outcome=outcome, phase=phase, **_told(error))

    def _skip(self, test: Any, reason: Any) -> None:
        if hasattr(test, "test_case"):  # a subtest: the test goes on
            return
        skipped = {"outcome": "skipped", "message": str(reason)[:MESSAGE]}
        if self._case is not None and self._case["test"] == name(test):
            self._case.update(skipped)
        elif isinstance(test, unittest.TestCase):  # not begun at all, in 3.12.1
            self._start(test)
            self._case = dict(self._case or {}, **skipped)
            self._stop(test)

    def _expected(self, test: Any, error: Any) -> None:  # noqa: ARG002
        if self._case is not None:
            self._case.update(outcome="xfailed")

    def _unexpected(self, test: Any) -> None:  # noqa: ARG002
        """An unexpected success makes unittest's run fail, as a strict one does pytest's."""
        if self._case is not None:
            self._case["failed"] += 1
            self._case.update(outcome="failed", phase="call", message="unexpected success")

    def end(self, counted: int) -> None:
        """Say that this was all."""
        self._look(now=True)
        self._wire.send("end", counted=counted, **self._end)
        self._wire.close()


def _first(look: Callable[..., None], original: Any) -> Any:
    """Return a method that is looked at before it does what it did; `stopTest` too."""

    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look(*args)
        return original(*args, **kwargs)

    return looked_at


def _phase(error: Any, test: Any) -> str:
    """Return the phase in which an error was raised: by the method of the test's that is in it."""
    names = [frame.name for frame in traceback.extract_tb(error[2])]
    method = getattr(test, "_testMethodName", "")
    if method in names:
        return "call"
    if "setUp" in names:
        return "setup"
    return "teardown" if "tearDown" in names or "doCleanups" in names else "call"


def _told(error: Any) -> Dict[str, str]:
    text = "".join(traceback.format_exception(*error))
    last = traceback.format_exception_only(*error[:2])[-1]
    return {"message": last.strip().splitlines()[0][:MESSAGE], "detail": text[-DETAIL:]}
