"""The agents that the end-to-end tests drive, each in every way it is run."""

from __future__ import annotations

from support.agents import aider, claude, codex, gemini, mini, opencode
from support.variant import Variant

ALL: tuple[Variant, ...] = (
    *claude.VARIANTS,
    *aider.VARIANTS,
    *codex.VARIANTS,
    *opencode.VARIANTS,
    *gemini.VARIANTS,
    *mini.VARIANTS,
)
