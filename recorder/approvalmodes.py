"""What an agent's command line says of approvals: whether anybody is asked before a tool runs.

What stands in settings is not read. Without a word of it in the command line an agent with a
terminal asks, and one without allows what its rules allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from traceproof.recorder.approvals import AUTO, BY_MODE, BYPASSED, Approval, Approvals

_SAY = frozenset({"claude-code"})
"""The agents whose own spans tell what was decided on each call."""


def approvals(agent: str, argv: Sequence[str]) -> Approvals:
    """Return what decides on the approvals of one session of an agent."""
    return Approvals(agent, mode(agent, argv), says=agent in _SAY)


def mode(agent: str, argv: Sequence[str]) -> Approval | None:
    """Return how calls are allowed that nobody is asked about; None where people are asked.

    `agent` is an adapter's name. What stands after `--` is a prompt, and an option is told either
    as one word (`--mode=yolo`) or as two.
    """
    read = _MODES.get(agent)
    words = list(argv[1:])
    words = words[: words.index("--")] if "--" in words else words
    word, source = read(_Options(words)) if read else ("", "")
    return Approval(word, BY_MODE, source) if word else None


class _Options:
    """The words of a command line."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)

    def has(self, *names: str) -> str:
        """Return the first of some options that is there, or ""."""
        return next((word for word in self._words if word.partition("=")[0] in names), "")

    def value(self, *names: str) -> str:
        """Return an option's value, the last one's where there are several."""
        found = ""
        for number, word in enumerate(self._words):
            name, equals, value = word.partition("=")
            if name in names:
                found = value if equals else "".join(self._words[number + 1 : number + 2])
        return found

    def word(self, name: str) -> bool:
        """Tell whether a subcommand is there."""
        return name in self._words


def _claude(options: _Options) -> tuple[str, str]:
    told = options.value("--permission-mode")
    skipped = options.has("--dangerously-skip-permissions")
    if skipped or told == "bypassPermissions":
        return BYPASSED, skipped or told
    return (AUTO, told or "default") if options.has("-p", "--print") else ("", "")


def _codex(options: _Options) -> tuple[str, str]:
    skipped = options.has("--dangerously-bypass-approvals-and-sandbox", "--yolo")
    if skipped:
        return BYPASSED, skipped
    policy = options.value("-a", "--ask-for-approval")
    if options.word("exec") or options.word("e"):
        return AUTO, policy or "exec"
    return (AUTO, policy) if policy == "never" else ("", "")


def _gemini(options: _Options) -> tuple[str, str]:
    told = options.value("--approval-mode")
    yolo = options.has("-y", "--yolo") or (told if told == "yolo" else "")
    if yolo:
        return BYPASSED, yolo
    return (AUTO, told or "default") if options.has("-p", "--prompt") else ("", "")


def _opencode(options: _Options) -> tuple[str, str]:
    if options.has("--auto"):
        return BYPASSED, "--auto"
    return (AUTO, "run") if options.word("run") else ("", "")


def _mini(options: _Options) -> tuple[str, str]:
    yolo = options.has("-y", "--yolo")
    return (BYPASSED, yolo) if yolo else ("", "")


_MODES: dict[str, Callable[[_Options], tuple[str, str]]] = {
    "claude-code": _claude,
    "codex": _codex,
    "gemini-cli": _gemini,
    "opencode": _opencode,
    "mini-swe-agent": _mini,
}
