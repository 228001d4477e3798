from __future__ import annotations

import pytest

from traceproof.recorder import semconv
from traceproof.resource import resource
from traceproof.version import __version__


def test_a_trace_says_which_recorder_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=search,service.name=other")
    told = resource()

    assert told[semconv.SOURCE] == "recorder"
    assert (told["service.name"], told["service.version"]) == ("traceproof", __version__)
    assert told["team"] == "search"
