from __future__ import annotations

from typing import Any, cast

from traceproof.proxy.exchange import Discard
from traceproof.proxy.team.metrics import encode
from traceproof.team.figures import Counted, families


class Server:
    """What a proxy server counts."""

    connections = 3

    class _Counted(dict[str, int]):
        def total(self) -> int:
            return sum(self.values())

    tunnelled = _Counted({"github.com": 2, "example.org": 1})
    untrusted = _Counted()
    faults = _Counted({"a fault": 1})


def test_every_figure_has_a_name_and_words(recorder: Any, exchange: Any) -> None:
    recorder.take(exchange("one", session="s1"), exchange("two", session="s1"))
    recorder.meter.around(Discard())
    counted = Counted(
        recorder.meter, recorder.sessions, recorder.room, recorder.capture, cast("Any", Server())
    )
    page = encode(families(counted, 12.5)).decode()

    lines = page.splitlines()
    figures = dict(line[11:].rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert figures['requests_total{status="200",state="complete"}'] == "2"
    assert (figures["recorded_total"], figures["sessions_open"]) == ("2", "1")
    assert (figures["tunnelled_total"], figures["connections"]) == ("3", "3")
    assert (figures["faults_total"], figures["dropped_total"]) == ("1", "0")
    assert (figures["uptime_seconds"], figures["recording"]) == ("12.5", "1")
    assert "quota_bytes" not in figures
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    assert {line.partition(" ")[0].partition("{")[0] for line in lines if line[0] != "#"} == helped
