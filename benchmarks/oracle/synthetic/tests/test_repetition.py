"""A test that leaves something behind for itself."""

from __future__ import annotations

from shop import PLUGINS


def test_registers_plugin() -> None:
    assert "parcels" not in PLUGINS
    PLUGINS.append("parcels")


def test_registers_and_removes() -> None:
    assert "letters" not in PLUGINS
    PLUGINS.append("letters")
    PLUGINS.remove("letters")
