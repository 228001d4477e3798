from __future__ import annotations

from traceproof.proxy.team.metrics import Family, Sample, counter, encode, gauge


def test_a_page_reads_as_prometheus_wants_it() -> None:
    families = [
        counter("bytes_total", "Bytes.", 12),
        gauge("lag_seconds", "Lag.", 0.25),
        Family(
            "calls_total", "counter", "Calls.", [Sample(3, {"status": "200", "why": 'a"b\\\n'})]
        ),
    ]

    assert encode(families).decode().splitlines() == [
        "# HELP traceproof_bytes_total Bytes.",
        "# TYPE traceproof_bytes_total counter",
        "traceproof_bytes_total 12",
        "# HELP traceproof_lag_seconds Lag.",
        "# TYPE traceproof_lag_seconds gauge",
        "traceproof_lag_seconds 0.25",
        "# HELP traceproof_calls_total Calls.",
        "# TYPE traceproof_calls_total counter",
        'traceproof_calls_total{status="200",why="a\\"b\\\\\\n"} 3',
    ]


def test_large_counts_are_exact() -> None:
    assert b"total 9007199254740993\n" in encode([counter("total", "", 2**53 + 1)])
