"""Ready scripts for real agents: what the end-to-end tests, and anyone trying a recorder, play.

Written for Claude Code 2.1.197 and Aider 0.86.2 (tool names and arguments, the texts that tell
their side calls apart). The task given to the agent may say anything, except where a function's
docstring wants a phrase in it.
"""

from __future__ import annotations

from pathlib import Path

from traceproof.proxy.testing.parts import Echo, Say, Think, Usage, Use
from traceproof.proxy.testing.script import Match, Scene, Script, Turn

FIXED = '''"""Add numbers."""


def add(left: int, right: int) -> int:
    """Return the sum."""
    return left + right


if __name__ == "__main__":
    assert add(2, 2) == 4
    print("sum ok")
'''

TITLE = Scene(
    name="title",
    when=Match(side_call=True),
    turns=[Turn([Say('{"title": "A scripted session"}')], usage=Usage(9))],
)

PART_A, PART_B = "SUBTASK-A", "SUBTASK-B"
"""Phrases in the prompts of the two sub-agents."""


def bash(command: str, description: str) -> Use:
    """Return a call of Claude Code's shell tool."""
    return Use("Bash", {"command": command, "description": description})


def write(path: Path, content: str) -> Use:
    """Return a call of Claude Code's tool that writes a file."""
    return Use("Write", {"file_path": str(path), "content": content})


def claude(*turns: Turn) -> Script:
    """Return a script for Claude Code's main conversation; its side calls are answered too."""
    return Script([TITLE, Scene(turns, name="main")])


def claude_fix_bug(workdir: Path) -> Script:
    """Claude Code thinks, writes `adder.py`, runs it, and reports: four turns, two tool calls."""
    target = workdir / "adder.py"
    return claude(
        Turn(
            [
                Think("The sum is off by one; I shall write the module anew."),
                Say("I will write the fixed module — naïve but right ✓."),
                write(target, FIXED),
            ],
            usage=Usage(1200, cache_creation=900),
        ),
        Turn([bash(f"python3 {target}", "Run the module")], usage=Usage(80, cache_read=2100)),
        Turn([bash(f"wc -l < {target}", "Count lines")], usage=Usage(90, cache_read=2200)),
        Turn([Say("Fixed: `add` returns the sum, and the check passes.")], usage=Usage(40)),
    )


def claude_parallel_tools(workdir: Path) -> Script:
    """Claude Code makes three tool calls in one turn; the second fails with exit code 3."""
    target = workdir / "notes.txt"
    return claude(
        Turn([write(target, "one\n")]),
        Turn(
            [
                bash("echo first", "Say first"),
                bash("echo second >&2; exit 3", "Fail"),
                Use("Read", {"file_path": str(target)}),
            ]
        ),
        Turn([Say("One of three failed, as told.")]),
    )


def _agent(prompt: str) -> Use:
    return Use(
        "Agent",
        {"description": "A part", "prompt": prompt, "subagent_type": "general-purpose"},
    )


def claude_two_subagents(workdir: Path) -> Script:
    """Claude Code starts two sub-agents at once; each writes a file and reads it in its shell."""
    return Script(
        [
            TITLE,
            _subagent(PART_A, workdir / "a.txt"),
            _subagent(PART_B, workdir / "b.txt"),
            Scene(
                name="main",
                turns=[
                    Turn(
                        [
                            Say("Two parts at once."),
                            _agent(f"{PART_A}: write a.txt"),
                            _agent(f"{PART_B}: write b.txt"),
                        ]
                    ),
                    Turn([bash(f"cat {workdir}/a.txt {workdir}/b.txt", "Read both")]),
                    Turn([Say("Both parts are done.")]),
                ],
            ),
        ]
    )


def _subagent(phrase: str, target: Path) -> Scene:
    return Scene(
        name=phrase,
        when=Match(user=phrase, system="cc_is_subagent=true"),
        turns=[
            Turn([write(target, f"{phrase}\n")]),
            Turn([bash(f"cat {target}", "Read it back")]),
            Turn([Say(f"{phrase} is written.")]),
        ],
    )


def claude_prints_key() -> Script:
    """Claude Code prints its environment, and the model repeats the key in many small pieces."""
    return claude(
        Turn([bash("env", "Print the environment")]),
        Turn(
            [Echo(r"ANTHROPIC_API_KEY=(\S+)", "Your key is {} — do keep it safe.")],
            piece=3,
        ),
    )


HELLO = "hello.py"
COMMIT_PROMPT = "commit message"
"""What the system prompt of Aider's side call contains."""

GREETINGS = ("hello", "hey", "hi")
"""What the three turns print; only the last passes the test."""


def _edit(before: str, after: str) -> str:
    """Return an edit in Aider's own form."""
    return f"{HELLO}\n```\n<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE\n```\n"


def aider_hello() -> Script:
    """Aider writes `hello.py`; its test fails twice; the third turn mends it and runs it.

    Run Aider in a git repository with `--auto-test --test-cmd "python3 hello.py | grep -qx hi"`.
    """
    commit = Scene(
        name="commit",
        when=Match(system=COMMIT_PROMPT),
        turns=[Turn([Say("feat: greet")])],
        repeat=True,
    )
    first, second, third = (f'print("{greeting}")\n' for greeting in GREETINGS)
    edits = [
        Turn([Say(f"I will create the file.\n\n{_edit('', first)}")]),
        Turn([Say(f"Shorter, then.\n\n{_edit(first, second)}")]),
        Turn([Say(f"`hi` it is.\n\n{_edit(second, third)}\n```bash\npython3 {HELLO}\n```\n")]),
    ]
    return Script([commit, Scene(edits, name="main")])


def many_chunks(count: int = 200, size: int = 12) -> Script:
    """Answer every request with text in `count` pieces of `size` characters: for benchmarks."""
    text = "".join(f"{number:0{size}d}" for number in range(count))
    return Script([Scene([Turn([Say(text)], piece=size)], name="chunks", repeat=True)])
