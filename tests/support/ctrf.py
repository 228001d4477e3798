"""CTRF's published schema (draft of 2025-11, ctrf-io/ctrf `schema/ctrf.schema.json`), as structs.

Restated by hand: every field it has for what a report of ours may hold, its type, and whether it
must be there. As in the schema, no other field may be.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

Status = Literal["passed", "failed", "skipped", "pending", "other"]
NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class Metric(_Strict):
    current: float | msgspec.UnsetType = msgspec.UNSET
    baseline: float | msgspec.UnsetType = msgspec.UNSET
    change: float | msgspec.UnsetType = msgspec.UNSET


class Tool(_Strict):
    name: NotEmpty
    version: str = ""
    extra: dict[str, Any] = {}


class Summary(_Strict):
    tests: int
    passed: int
    failed: int
    skipped: int
    pending: int
    other: int
    start: int
    stop: int
    flaky: int = 0
    suites: int = 0
    duration: int = 0
    extra: dict[str, Any] = {}


class Attempt(_Strict):
    attempt: Annotated[int, msgspec.Meta(ge=1)]
    status: Status
    duration: int = 0
    message: str = ""
    trace: str = ""
    line: int = 0
    extra: dict[str, Any] = {}


class TestInsights(_Strict):
    passRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - as published
    failRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    flakyRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    executedInRuns: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    extra: dict[str, Any] = {}


class Test(_Strict):
    name: NotEmpty
    status: Status
    duration: int
    id: UUID | msgspec.UnsetType = msgspec.UNSET
    start: int = 0
    stop: int = 0
    suite: Annotated[list[str], msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET
    message: str = ""
    trace: str = ""
    line: int = 0
    rawStatus: str = ""  # noqa: N815
    tags: list[str] = []
    filePath: str = ""  # noqa: N815
    retries: int = 0
    retryAttempts: list[Attempt] = []  # noqa: N815
    flaky: bool = False
    insights: TestInsights | msgspec.UnsetType = msgspec.UNSET
    extra: dict[str, Any] = {}


class Environment(_Strict):
    reportName: str = ""  # noqa: N815
    repositoryName: str = ""  # noqa: N815
    repositoryUrl: str = ""  # noqa: N815
    commit: str = ""
    testEnvironment: str = ""  # noqa: N815
    healthy: bool | msgspec.UnsetType = msgspec.UNSET
    extra: dict[str, Any] = {}


class Results(_Strict):
    tool: Tool
    summary: Summary
    tests: list[Test]
    environment: Environment | msgspec.UnsetType = msgspec.UNSET
    extra: dict[str, Any] = {}


class Insights(_Strict):
    passRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    failRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    flakyRate: Metric | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    runsAnalyzed: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    extra: dict[str, Any] = {}


class Report(_Strict):
    reportFormat: Literal["CTRF"]  # noqa: N815
    specVersion: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]  # noqa: N815
    results: Results
    reportId: UUID | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    timestamp: str = ""
    generatedBy: str = ""  # noqa: N815
    insights: Insights | msgspec.UnsetType = msgspec.UNSET
    extra: dict[str, Any] = {}
