"""The figures that a shared proxy shows, gathered from where they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from traceproof.proxy.capture import Capture
from traceproof.proxy.server import ProxyServer
from traceproof.proxy.team.meter import Meter
from traceproof.proxy.team.metrics import Family, Sample, counter, gauge
from traceproof.proxy.team.room import Room
from traceproof.team.sessions import TeamSessions


class Counted(NamedTuple):
    """Everything that counts."""

    meter: Meter
    sessions: TeamSessions
    room: Room
    capture: Capture
    server: ProxyServer


def families(of: Counted, uptime: float) -> Iterator[Family]:
    """Yield the metrics; `uptime` in seconds."""
    yield from _traffic(of.meter, of.server)
    yield from _recording(of)
    yield from _store(of.room)
    yield gauge("uptime_seconds", "Since the proxy was started.", uptime)


def _traffic(meter: Meter, server: ProxyServer) -> Iterator[Family]:
    requests = [
        Sample(count, {"status": status, "state": state})
        for (status, state), count in sorted(meter.requests.copy().items())
    ]
    text = "Calls on decrypted hosts that ended, by HTTP status (0: no answer) and by how."
    yield Family("requests_total", "counter", text, requests)
    yield counter("request_bytes_total", "Bytes of requests of ended calls.", meter.bytes_in)
    yield counter("response_bytes_total", "Bytes of answers of ended calls.", meter.bytes_out)
    yield gauge("streams_live", "Calls under way.", meter.live)
    yield gauge("connections", "Client connections that are open.", server.connections)
    tunnelled = server.tunnelled.total()
    yield counter("tunnelled_total", "Connections that passed unread.", tunnelled)
    untrusted = server.untrusted.total()
    text = "Connections that ended because the proxy's certificate was not trusted."
    yield counter("untrusted_total", text, untrusted)


def _recording(of: Counted) -> Iterator[Family]:
    sessions, meter = of.sessions, of.meter
    yield gauge("sessions_open", "Trace files that are open.", sessions.count)
    yield counter("sessions_total", "Trace files that were begun.", sessions.totals.sessions)
    yield counter("recorded_total", "Calls taken into a trace.", sessions.totals.calls)
    yield gauge("lag_seconds", "Since the first call ended that is not recorded.", meter.lag)
    yield gauge("lag_bytes", "Bytes of ended calls that wait to be recorded.", meter.waiting)
    yield counter("dropped_total", "Spans that were lost.", sessions.lost)
    faults = of.capture.fault_count + of.server.faults.total()
    yield counter("faults_total", "Faults of the recorder; bytes were kept.", faults)
    reasons = sessions.totals.unrecorded
    unrecorded = [Sample(reasons[why], {"reason": why}) for why in ("no room", "lag", "consent")]
    yield Family("unrecorded_total", "counter", "Calls that passed without a record.", unrecorded)
    yield counter("refused_total", "Calls refused: they could not be recorded.", meter.refused)


def _store(room: Room) -> Iterator[Family]:
    yield gauge("store_bytes", "What the store holds.", room.used)
    if room.quota is not None:
        yield gauge("quota_bytes", "What it may hold.", room.quota)
    yield gauge("recording", "1 while calls can be recorded.", 0 if room.problem else 1)
