"""A verdict as JUnit XML, in the order and with the names of Maven Surefire's schema 3.0.2.

A test that usually passes and has flips carries them as `flakyFailure` or `flakyError`; one that
usually fails as a failure, with its other failures as `rerunFailure` or `rerunError`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from traceproof.replay.exports.tests import is_unsteady, parts, repository_name, status
from traceproof.replay.verdict import Seen, TestVerdict, Verdict

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BAD = ("failed", "error")


def suite(verdict: Verdict, file: str = "") -> bytes:
    """Return a verdict as a test suite in XML.

    Args:
        verdict: what is told.
        file: the verdict's file name, for the commands that repeat runs.
    """
    outcomes = [test.outcome for test in verdict.tests]
    root = Element(
        "testsuite",
        {
            "version": "3.0.2",
            "name": _text(repository_name(verdict.subject) or "tests"),
            "time": _time(sum(test.seconds for test in verdict.tests)),
            "tests": str(len(outcomes)),
            "errors": str(outcomes.count("error")),
            "skipped": str(sum(status(outcome) == "skipped" for outcome in outcomes)),
            "failures": str(outcomes.count("failed")),
            "flakes": str(sum(is_unsteady(test) for test in verdict.tests)),
        },
    )
    properties = SubElement(root, "properties")
    for name, value in _properties(verdict):
        SubElement(properties, "property", {"name": name, "value": _text(value)})
    for test in verdict.tests:
        _case(root, test, file)
    indent(root)
    return b"%b\n" % tostring(root, encoding="utf-8", xml_declaration=True)


def _properties(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "traceproof.class", verdict.class_
    if verdict.outcome:
        yield "traceproof.outcome", verdict.outcome
    yield "traceproof.verified", str(verdict.verified).lower()
    yield "traceproof.reason", verdict.reason
    yield "traceproof.confidence", f"{verdict.budgets.confidence:g}"
    if verdict.environment:
        yield "traceproof.isolation", verdict.environment.isolation
    if verdict.subject.commit:
        yield "git.commit", verdict.subject.commit
    yield "traceproof.version", verdict.version


def _case(root: Element, test: TestVerdict, file: str) -> None:
    holder, name = parts(test.test)
    holder = holder.replace("/", ".").replace("::", ".").replace(".py", "")
    case = SubElement(
        root,
        "testcase",
        {"name": _text(name), "classname": _text(holder), "time": _time(test.seconds)},
    )
    # Surefire's order: failure, rerunFailure, flakyFailure, skipped, error, rerunError, flakyError
    again = "rerun" if test.outcome in _BAD else "flaky"
    flips = [one for one in test.seen if one.outcome in _BAD]
    _usual(case, test, "failed")
    _again(case, f"{again}Failure", [one for one in flips if one.outcome == "failed"])
    if status(test.outcome) == "skipped":
        SubElement(case, "skipped", {"message": _text(test.message or test.outcome)})
    _usual(case, test, "error")
    _again(case, f"{again}Error", [one for one in flips if one.outcome == "error"])
    if told := _told(test, file):
        SubElement(case, "system-out").text = _text(told)


def _usual(case: Element, test: TestVerdict, outcome: str) -> None:
    if test.outcome != outcome:
        return
    name = "error" if outcome == "error" else "failure"
    element = SubElement(case, name, {"message": _text(test.message), "type": _type(test.message)})
    element.text = _text(test.detail)


def _again(case: Element, name: str, flips: list[Seen]) -> None:
    for seen in flips:
        told = {"message": _text(seen.message), "type": _type(seen.message)}
        element = SubElement(case, name, told)
        SubElement(element, "stackTrace").text = _text(f"{seen.message}\nrun: {seen.run}".strip())


def _told(test: TestVerdict, file: str) -> str:
    """Return what is known of a test that is not steady, for those who read the file."""
    if not is_unsteady(test) and test.class_ == "steady":
        return ""
    lines = [f"{test.class_}: {test.flips} of {test.runs} identical runs came out otherwise"]
    for cause in test.causes:
        lines.append(f"cause: {cause.name}: {cause.text}")
        if cause.shown:
            words = ["traceproof", "verify", *filter(None, [file]), "--repeat", cause.shown.run]
            lines.append(f"repeat: {shlex.join(words)}")
    return "\n".join(lines)


def _type(message: str) -> str:
    """Return the error's class, as far as its last line begins with it."""
    name, colon, _ = message.partition(":")
    return name if colon and name.replace(".", "").isidentifier() else "AssertionError"


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    """Replace what XML cannot hold by U+FFFD."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
