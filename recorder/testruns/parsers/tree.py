"""The indented trees of test names that some tools print: which groups a line stands in."""

from __future__ import annotations


class Groups:
    """The groups that are open, by their indentation."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, indent: int, name: str) -> None:
        """Open a group; those as deep or deeper are closed."""
        self.leave(indent)
        self._open.append((indent, name))

    def leave(self, indent: int) -> None:
        """Close the groups as deep as this or deeper."""
        while self._open and self._open[-1][0] >= indent:
            self._open.pop()

    def names(self, indent: int) -> list[str]:
        """Return the groups that a line with this indentation stands in, outermost first."""
        self.leave(indent)
        return [name for _, name in self._open]


def indent(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def seconds(text: str) -> float | None:
    """Read `12ms`, `1.5s`, `1.5 s`, `3 min`; None where it is no time."""
    for unit, factor in (("ms", 0.001), ("min", 60.0), ("sec", 1.0), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit):
            return number(text.removesuffix(unit).strip(), factor)
    return None


def number(text: str, factor: float = 1.0) -> float | None:
    """Read a decimal number, times a factor; None where it is none."""
    if not text or len(text) > 20 or not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return float(text) * factor


def timed(text: str) -> tuple[str, float | None]:
    """Take a time in brackets off the end of a name: `adds (3 ms)`."""
    if text.endswith(")"):
        name, bracket, time = text[:-1].rpartition(" (")
        if bracket and (found := seconds(time)) is not None:
            return name, found
    return text, None
