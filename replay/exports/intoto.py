"""A verdict as an in-toto statement, https://in-toto.io/attestation/test-result/v0.1.

Not signed: whoever vouches for it wraps it in an envelope. The predicate has no word for flaky;
tests that are not steady are its `warnedTests`.
"""

from __future__ import annotations

from typing import Any, Literal

from traceproof.replay import plainjson
from traceproof.replay.exports.tests import bound, is_unsteady, repository_name, status
from traceproof.replay.verdict import Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"

Result = Literal["PASSED", "WARNED", "FAILED"]


def statement(verdict: Verdict) -> bytes:
    """Return a verdict as a statement in JSON.

    Raises:
        ValueError: the verdict names nothing that was tested by a digest.
    """
    made = {
        "_type": STATEMENT,
        "subject": subjects(verdict),
        "predicateType": PREDICATE,
        "predicate": {
            "result": result(verdict),
            "configuration": [*_configuration(verdict)],
            **_tests(verdict),
        },
    }
    return plainjson.encode(made)


def result(verdict: Verdict) -> Result:
    """Return the one word for the whole.

    `FAILED`: there is nothing to trust, the task is not resolved, or a test fails where nothing is
    compared. `WARNED`: something is not steady, or not known to be.
    """
    if verdict.class_ in ("environment_failed", "no_tests"):
        return "FAILED"
    if verdict.outcome in ("unresolved", "regressed"):
        return "FAILED"
    tests = _tests(verdict)
    if verdict.outcome is None and tests["failedTests"]:
        return "FAILED"
    return "WARNED" if verdict.class_ != "steady" or tests["warnedTests"] else "PASSED"


def subjects(verdict: Verdict) -> list[dict[str, Any]]:
    """Return what was tested: the commit, and the patch that was laid over it.

    Raises:
        ValueError: nothing is named by a digest.
    """
    subject = verdict.subject
    found = [
        (repository_name(subject), "gitCommit", subject.commit),
        ("patch", "sha256", subject.patch_sha256),
    ]
    if not subject.commit:
        found.append(("final tree", "gitTree", subject.final_tree))
    named = [{"name": name, "digest": {kind: hash_}} for name, kind, hash_ in found if hash_]
    if not named:
        raise ValueError("the verdict names nothing that was tested: no commit, patch or tree")
    return named


def _tests(verdict: Verdict) -> dict[str, list[str]]:
    """Return the lists of tests; what is skipped is in none of them."""
    warned = [t.test for t in verdict.tests if is_unsteady(t) or t.class_ == "inconclusive"]
    steady = [t for t in verdict.tests if t.class_ == "steady"]
    return {
        "passedTests": [t.test for t in steady if status(t.outcome) == "passed"],
        "warnedTests": warned,
        "failedTests": [t.test for t in steady if status(t.outcome) == "failed"],
    }


def _configuration(verdict: Verdict) -> list[dict[str, Any]]:
    """Return how it was tested, as resource descriptors: each has a digest, a URI or content."""
    subject, place = verdict.subject, verdict.environment
    hashes = [
        ("trace", subject.trace, "sha256", subject.trace_sha256),
        ("runs", subject.runs_file, "sha256", subject.runs_sha256),
        ("environment lock", "", "sha256", place.lock_sha256 if place else ""),
        ("base tree", "", "gitTree", subject.base_tree),
        ("final tree", "", "gitTree", subject.final_tree),
    ]
    found = [
        {"name": name, "digest": {kind: hash_}} | ({"uri": uri} if uri else {})
        for name, uri, kind, hash_ in hashes
        if hash_
    ]
    command = {
        "argv": subject.command,
        "folder": subject.folder,
        "environment": subject.environment,
    }
    return [_with_content("test command", command), _verdict(verdict), *found]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    place = verdict.environment
    said = {
        "class": verdict.class_,
        "outcome": verdict.outcome,
        "verified": verdict.verified,
        "causes": verdict.causes,
        "bound": bound(verdict),
        "budgets": verdict.budgets,
        "seed": verdict.seed,
        "isolation": place.isolation if place else None,
        "sandbox": place.sandbox if place else None,
        "version": verdict.version,
    }
    return _with_content("verdict", said)


def _with_content(name: str, said: dict[str, Any]) -> dict[str, Any]:
    """Return a descriptor that holds its content; in JSON that is base64."""
    return {"name": name, "mediaType": "application/json", "content": plainjson.encode(said)}
