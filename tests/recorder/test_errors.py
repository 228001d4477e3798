from __future__ import annotations

import pytest

from traceproof.recorder import errors


@pytest.mark.parametrize(
    "error",
    [errors.ForeignFile, errors.FutureFormat, errors.DamagedTrace, errors.TraceInUse],
)
def test_what_is_wrong_with_a_file_is_a_value_error(error: type[Exception]) -> None:
    assert issubclass(error, errors.TraceError)
    assert issubclass(error, ValueError)


def test_a_name_without_a_trace_is_a_lookup_error_that_reads_well() -> None:
    assert str(errors.TraceNotFound("no trace 'x'")) == "no trace 'x'"
    assert issubclass(errors.TraceNotFound, LookupError)
