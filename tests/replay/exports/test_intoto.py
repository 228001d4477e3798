from __future__ import annotations

import base64
import json
from typing import Any, Literal

import msgspec
import pytest

from support import verdicts
from traceproof.replay.exports import intoto
from traceproof.replay.verdict import Subject


class Descriptor(msgspec.Struct):
    """In-toto's ResourceDescriptor v1; one of the first three must be there."""

    digest: dict[str, str] = {}
    uri: str = ""
    content: bytes = b""
    name: str = ""
    mediaType: str = ""  # noqa: N815 - as published


class Predicate(msgspec.Struct):
    """The predicate test-result v0.1."""

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: list[Descriptor]
    url: str = ""
    passedTests: list[str] = []  # noqa: N815
    warnedTests: list[str] = []  # noqa: N815
    failedTests: list[str] = []  # noqa: N815


class Statement(msgspec.Struct):
    """In-toto's Statement v1."""

    type: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: list[Descriptor]
    predicate_type: Literal["https://in-toto.io/attestation/test-result/v0.1"] = msgspec.field(
        name="predicateType"
    )
    predicate: Predicate


def test_it_is_as_the_specification_has_it() -> None:
    made = msgspec.json.decode(intoto.statement(verdicts.verdict()), type=Statement)

    assert made.subject
    assert all(one.digest for one in made.subject)
    for one in made.predicate.configuration:
        assert one.digest or one.uri or one.content


def test_the_commit_and_the_patch_are_what_was_tested() -> None:
    made = json.loads(intoto.statement(verdicts.verdict()))

    assert made["subject"] == [
        {"name": "project", "digest": {"gitCommit": verdicts.COMMIT}},
        {"name": "patch", "digest": {"sha256": "cd" * 32}},
    ]


def test_without_a_commit_the_tree_is() -> None:
    bare = verdicts.verdict(subject=Subject(final_tree="34" * 32))

    assert intoto.subjects(bare) == [{"name": "final tree", "digest": {"gitTree": "34" * 32}}]
    with pytest.raises(ValueError, match="names nothing that was tested"):
        intoto.statement(verdicts.verdict(subject=Subject()))


def test_tests_that_are_not_steady_are_warned_of() -> None:
    predicate = json.loads(intoto.statement(verdicts.verdict()))["predicate"]

    assert predicate["passedTests"] == ["tests/test_a.py::test_fixed", verdicts.POLLUTER]
    assert predicate["failedTests"] == ["tests/test_b.py::test_wrong", "tests/test_c.py"]
    assert predicate["warnedTests"] == [
        "tests/test_a.py::TestB::test_victim[1-a.b]",
        "tests/test_b.py::test_random",
    ]


good, wrong = verdicts.steady("a"), verdicts.steady("b", outcome="failed")


@pytest.mark.parametrize(
    ("made", "result"),
    [
        (verdicts.verdict(good), "PASSED"),
        (verdicts.verdict(good, wrong), "PASSED"),
        (verdicts.verdict(good, verdicts.random_one("c")), "WARNED"),
        (verdicts.verdict(good, class_="inconclusive"), "WARNED"),
        (verdicts.verdict(good, outcome="unresolved"), "FAILED"),
        (verdicts.verdict(good, outcome="regressed"), "FAILED"),
        (verdicts.verdict(good, outcome=None), "PASSED"),
        (verdicts.verdict(good, wrong, outcome=None), "FAILED"),
        (verdicts.verdict(good, class_="environment_failed", outcome=None), "FAILED"),
        (verdicts.verdict(class_="no_tests", outcome=None), "FAILED"),
    ],
)
def test_one_word_for_the_whole(made: Any, result: str) -> None:
    assert intoto.result(made) == result


def test_the_configuration_tells_how_sure_it_is() -> None:
    configuration = json.loads(intoto.statement(verdicts.verdict()))["predicate"]["configuration"]
    told = {one["name"]: one for one in configuration}

    said = json.loads(base64.b64decode(told["verdict"]["content"]))
    assert (said["bound"], said["isolation"]) == (0.0495, "container")
    assert told["environment lock"]["digest"] == {"sha256": "56" * 32}
    assert told["trace"]["digest"] == {"sha256": "ab" * 32}
