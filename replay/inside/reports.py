"""What pytest's reports of one execution of a test come to: one case."""

import math
from typing import Any, Dict

MESSAGE = 500
DETAIL = 8000

_PHASES = ("setup", "call", "teardown")
_NO_FAILURES = ("Skipped", "SkipTest", "XFailed")


class Execution(object):
    """One execution of a test, added up from the reports of its phases."""

    def __init__(self, test: str, repeat: int, group: str, threads: int) -> None:
        self._threads = threads
        self.failed = 0
        self._case: Dict[str, Any] = {
            "test": test, "repeat": repeat, "group": group, "outcome": "passed", "seconds": 0.0,
            "phase": "", "message": "", "detail": "",
        }  # fmt: skip
        self._called = self._again = False
        self._raised: Dict[str, Any] = {}

    def raised(self, phase: str, error: Any) -> None:
        """Remember what a phase raised first: pytest's `ExceptionInfo`; None: nothing.

        Plugins try what failed again, and report the last time alone.
        """
        first = self._raised.get(phase)
        if first is None or first.typename in _NO_FAILURES:
            self._raised[phase] = error
        else:
            self._again = True

    def add(self, report: Any) -> None:
        """Add a phase's report, or a subtest's; what failed at first has failed."""
        case = self._case
        case["seconds"] += seconds(report)
        outcome, when = _outcome(report), _phase(report)
        error = self._raised.get(when)
        self._called = self._called or when == "call"
        if outcome == "passed" and error is not None:
            how = "it was tried again" if self._again else "its report was made one of a pass"
            self._fail(when, error, how)
            return
        if report.outcome == "failed":
            self.failed += 1
        if outcome == "passed" or case["outcome"] in ("failed", "error"):
            return
        if outcome in ("skipped", "xfailed") and hasattr(report, "context"):  # a subtest
            return
        case["outcome"] = outcome
        if outcome in ("failed", "error"):
            case.update(phase=when, message=message(report), detail=detail(report))
        else:
            case["message"] = reason(report)

    def _fail(self, when: str, error: Any, how: str) -> None:
        """Take a phase that raised for failed, whatever its report says."""
        if self._case["outcome"] not in ("failed", "error"):
            outcome = "failed" if when == "call" else "error"
            first = (str(error.exconly()).strip().splitlines() or [""])[0]
            said = "%s, and %s" % (first, how)
            self._case.update(outcome=outcome, phase=when, message=said[:MESSAGE])

    def case(self, threads: int) -> Dict[str, Any]:
        """Return the case, now that the test has ended."""
        for when, error in self._raised.items():
            if error is not None and not self._called and self._case["outcome"] == "passed":
                self._fail(when, error, "no report tells it")
        case = dict(self._case, threads=threads - self._threads, failed=self.failed)
        if not self._called and case["outcome"] == "passed":
            case.update(outcome="error", phase="setup", message="the test was not called")
        return {name: value for name, value in case.items() if value or name == "test"}


def _phase(report: Any) -> str:
    """Return the phase that a report is of: of a process that crashed it is `???`."""
    return report.when if report.when in _PHASES else "call"


def _outcome(report: Any) -> str:
    """Return what a report tells; what plugins call otherwise failed, and is tried again."""
    expected = hasattr(report, "wasxfail")
    if report.outcome == "skipped":
        return "xfailed" if expected else "skipped"
    if report.outcome == "passed":
        return "xpassed" if expected and report.when == "call" else "passed"
    return "failed" if _phase(report) == "call" else "error"


def seconds(report: Any) -> float:
    """Return how long a phase took; 0 where a test changed the clock."""
    value = getattr(report, "duration", 0.0)
    return float(value) if isinstance(value, (int, float)) and 0 <= value < math.inf else 0.0


def message(report: Any) -> str:
    """Return the error in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return (str(crash.message).strip().splitlines() or [""])[0][:MESSAGE]
    return last_line(detail(report))


def last_line(text: str) -> str:
    """Return what an error's text comes to: its first line after `E`, else its last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line[2:].strip() for line in lines if line.startswith("E ")]
    if marked:
        return marked[0][:MESSAGE]
    return (lines[-1] if lines else "")[:MESSAGE]


def detail(report: Any) -> str:
    """Return the end of the report of a failure."""
    return str(report.longrepr)[-DETAIL:] if report.longrepr is not None else ""


def reason(report: Any) -> str:
    """Return why a test was skipped, or was to fail."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail).replace("reason: ", "", 1)[:MESSAGE]
    longrepr = report.longrepr
    text = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr or "")
    return text.replace("Skipped: ", "", 1)[:MESSAGE]
