from __future__ import annotations

from traceproof.sandbox.docker.execute import Kept


def test_the_beginning_is_kept_and_the_rest_is_counted() -> None:
    kept = Kept(10)

    assert [kept.add(data) for data in (b"12345", b"", b"6789abc", b"def")] == [
        b"12345", b"", b"6789a", b"",
    ]  # fmt: skip
    assert (kept.data, kept.lost) == (b"123456789a", 5)
