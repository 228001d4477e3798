from __future__ import annotations

import re

import pytest

from traceproof.export import formats


def test_a_format_is_found_by_its_name() -> None:
    assert {name: formats.find(name).name for name in formats.FORMATS} == {"otlp": "otlp"}


def test_another_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=re.escape("no format 'csv': there are otlp")):
        formats.find("csv")
