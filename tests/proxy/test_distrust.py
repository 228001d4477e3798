from __future__ import annotations

import pytest

from traceproof.proxy.distrust import Distrust

HOST = "api.anthropic.com"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1006)", True),
        ("OpenSSL Error([('SSL routines', '', 'ssl/tls alert bad certificate')])", True),
        ("sslv3 alert certificate unknown", True),
        ("tlsv1 alert user cancelled", False),
        ("no shared cipher", False),
    ],
)
def test_an_alert_says_whether_it_is_for_the_certificate(error: str, *, said: bool) -> None:
    distrust = Distrust()

    distrust.failed(HOST, error)

    assert distrust.untrusted == ({HOST: 1} if said else {})


def test_silence_counts_when_it_comes_again_and_no_request_ever_does() -> None:
    distrust = Distrust()

    distrust.gave_up(HOST)
    assert distrust.untrusted == {}
    distrust.established("key", HOST)
    distrust.left("key")
    distrust.left("key")
    assert distrust.untrusted == {HOST: 2}

    distrust.established("another", HOST)
    distrust.heard("another")
    assert distrust.untrusted == {}


def test_what_we_close_ourselves_does_not_count() -> None:
    distrust = Distrust()
    distrust.closing()

    for _ in range(3):
        distrust.gave_up(HOST)

    assert distrust.untrusted == {}
