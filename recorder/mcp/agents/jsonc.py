"""JSON as people write it in settings: with comments and commas before a closing bracket."""

from __future__ import annotations

import json
import re
from typing import Any

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
"""Texts are taken first, for both may stand in one."""


def loads(text: str) -> Any:
    """Read a document.

    Raises:
        ValueError: it is no JSON even so.
    """
    text = text.removeprefix("\ufeff")
    try:
        return json.loads(text)
    except ValueError:
        plain = _COMMENT.sub(lambda found: found[1] or " ", text)
        return json.loads(_COMMA.sub(lambda found: found[1] or "", plain))
