from __future__ import annotations

import io

import pytest
from rich.console import Console

from traceproof import render
from traceproof.node import Node, Ran
from traceproof.spanfacts import Tokens
from traceproof.view import Totals, View


def drawn(*children: Node, full: bool = False, **lacking: list[str]) -> list[str]:
    root = Node("agent", "a" * 16, "claude-code", duration=12.3, children=list(children))
    totals = Totals(2, 0, 1, 0, Tokens(1500, 30, 750, 0), 0.0123)
    facts = {
        "gen_ai.agent.name": "claude-code",
        "gen_ai.agent.version": "2.1.197",
        "process.exit.code": 0,
        "vcs.ref.head.name": "main",
        "vcs.ref.head.revision": "0123456789abcdef",
        **{f"traceproof.{name.replace('__', '.')}": lines for name, lines in lacking.items()},
    }
    out = io.StringIO()
    console = Console(file=out, width=160)
    console.print(render.tree(View("x", root, totals, facts, []), full=full))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_head_says_who_how_long_and_how_it_ended() -> None:
    assert drawn()[0] == "claude-code 2.1.197 · 12.3 s · exit 0 · main@0123456789"


def test_the_foot_adds_up() -> None:
    assert drawn()[-1] == "2 turns · 1 tool calls · 1,500 in (50% cached) · 30 out · $0.0123"


def test_what_could_not_be_recorded_stands_at_the_foot() -> None:
    refused = "shell commands are not recorded: no socket"

    assert drawn(
        recording__lost=[refused],
        shell__unhooked=[refused, "/bin/sh: run by its path"],
        snapshot__problem=["no diffs: git is not\x1b[2J there"],
    )[-3:] == [
        f"! lost: {refused}",
        "! shells not recorded: /bin/sh: run by its path",
        "! workspace: no diffs: git is not\N{REPLACEMENT CHARACTER}[2J there",
    ]


def test_many_lines_of_one_lack_are_counted_unless_in_full() -> None:
    left = [f"big{number}.bin: over 1 MiB" for number in range(6)]

    assert drawn(vcs__cap=left)[-4:] == [
        *(f"! not kept of the working tree: {line}" for line in left[:3]),
        "! not kept of the working tree: 3 more (--full)",
    ]
    assert drawn(vcs__cap=left, full=True)[-6:] == [
        f"! not kept of the working tree: {line}" for line in left
    ]


def test_a_turn_its_text_and_its_tools_are_lines() -> None:
    given = '{"command":"ls -l","timeout":5}'
    bash = Node("tool", "t", "Bash", duration=0.5, detail=given, result="total 0\n-rw a.py")
    turn = Node("turn", "c", "1  sonnet", duration=1.5, detail="Let me\nlook.", children=[bash])

    assert drawn(Node("prompt", "", "fix it"), turn)[1:6] == [
        "├── user  fix it",
        "└── turn 1  sonnet  1.5 s",
        "    Let me look.",
        "    └── Bash  command=ls -l timeout=5  500 ms",
        "        total 0 -rw a.py",
    ]


def test_a_command_says_what_it_ran_how_it_ended_and_how_it_is_known() -> None:
    ran = Ran(exit_code=2, by="tool", join="inferred", merged=True, background=True)
    tests = Node("test", "s", "pytest", duration=1.0, result="1 failed, 2 passed")
    node = Node(
        "command", "k", "bash", duration=1.5, detail="make\ntest", ran=ran, children=[tests]
    )
    ok = Node("command", "l", "sh", detail="true", ran=Ran(exit_code=0, by="tool", join="exact"))
    killed = Node("command", "m", "sh", detail="sleep 9", ran=Ran(signal="SIGKILL", by="tool"))

    assert drawn(node, ok, killed)[1:5] == [
        "├── bash $ make test  exit 2  1.5 s  merged  background  inferred",
        "│   └── test pytest  1 failed, 2 passed  1.0 s",
        "├── sh $ true  exit 0",
        "└── sh $ sleep 9  SIGKILL",
    ]


def test_what_changed_in_the_workspace_is_a_line() -> None:
    assert drawn(Node("change", "", "M a.py, A b.py"))[1] == "└── changed  M a.py, A b.py"


def test_in_full_a_commands_output_stands_below_it_each_stream_under_its_name() -> None:
    ran = Ran(exit_code=0, by="tool", stdout="out\n", stderr="err\n")
    node = Node("command", "k", "bash", detail="make", ran=ran, cut=["stderr"])

    assert drawn(node, full=True)[1:8] == [
        "└── bash $ make  exit 0  k",
        "    make",
        "    stdout:",
        "    out",
        "    stderr:",
        "    err",
        "    [the rest is in the trace]",
    ]
    assert not any("out" in line for line in drawn(node)[:-1])


def test_the_agents_own_commands_and_its_servers_are_shown_in_full_only() -> None:
    own = Node("command", "k", "git", detail="git status", ran=Ran(exit_code=0, by="agent"))
    server = Node("server", "m", "mcp files")

    assert len(drawn(own, server)) == 2
    lines = drawn(own, server, full=True)
    assert lines[1] == "├── git $ git status  exit 0  the agent's own  k"
    assert lines[3] == "└── mcp files  m"


def test_what_a_call_came_to_at_a_server_is_a_line() -> None:
    part = Node("mcp", "m", "add", duration=0.1, detail='{"a":1}', result="2")

    assert drawn(part)[1:3] == ["└── mcp add  a=1  100 ms", "    2"]


def test_what_people_did_beside_prompts_is_a_line_each() -> None:
    assert drawn(
        Node("queued", "", "And that."),
        Node("interruption", "", "[Request interrupted by user]"),
        Node("slash_command", "", "/model opus"),
        Node("compaction", "", ""),
    )[1:5] == [
        "├── user, for later  And that.",
        "├── interrupted  [Request interrupted by user]",
        "├── user to the agent  /model opus",
        "└── conversation compacted",
    ]


def test_how_a_call_was_allowed_stands_beside_it_and_why_in_full() -> None:
    calls = [
        Node("tool", "t", "Bash", approval=word, approved_by="mode: --yolo")
        for word in ("auto", "granted", "bypassed", "denied")
    ]

    assert drawn(*calls)[1:5] == [
        "├── Bash",
        "├── Bash  granted",
        "├── Bash  bypassed",
        "└── Bash  ! denied",
    ]
    assert "├── Bash  auto (mode: --yolo)  t" in drawn(*calls, full=True)


def test_what_was_given_what_changed_and_every_case_stands_in_full_only() -> None:
    shown = [
        Node("task", "", "repair: be right", detail='{"goal": "be right"}'),
        Node("system", "", "8 characters", detail="Be good."),
        Node("tools", "", "1: bash", detail='{"name":"bash"}'),
        Node("change", "", "M a.py", detail="-old\n+new"),
        Node("test", "r", "pytest", result="1 passed", cases=["passed  test_a"]),
        Node("diff", "", "1 file", detail="diff --git a/a.py b/a.py"),
    ]

    assert drawn(*shown)[1:-1] == [
        "├── task  repair: be right",
        "├── changed  M a.py",
        "├── test pytest  1 passed",
        "└── final diff  1 file",
    ]
    full = "\n".join(drawn(*shown, full=True))
    for text in ("goal", "Be good.", '{"name":"bash"}', "+new", "passed  test_a", "diff --git"):
        assert text in full


def test_an_imported_trace_says_so_at_its_head() -> None:
    view = View("x", Node("agent", "a", "x"), Totals(0, 0, 0, 0, Tokens(), None), {}, [])
    view.facts["traceproof.import.source"] = "codex"
    out = io.StringIO()
    Console(file=out, width=160).print(render.tree(view))

    assert out.getvalue().splitlines()[0].endswith(" · imported from codex")


def test_a_pause_is_a_line_of_its_own() -> None:
    pause = Node("consent", "", "paused by jo", duration=63.0)

    assert drawn(pause)[1] == "└── paused by jo  1 min 03 s"


def test_side_calls_are_shown_in_full_only() -> None:
    side = Node("side", "c", "haiku", detail="title")

    assert not any("haiku" in line for line in drawn(side))
    assert any("haiku" in line for line in drawn(side, full=True))


def test_long_arguments_are_cut_unless_in_full() -> None:
    tool = Node("tool", "t", "Write", detail="x" * 500)
    turn = Node("turn", "c", "1  sonnet", children=[tool])

    assert "…" in "".join(drawn(turn))
    assert "".join(drawn(turn, full=True)).count("x") >= 500


def test_a_text_that_is_not_all_there_says_so_where_it_ends() -> None:
    tool = Node("tool", "t", "Bash", detail="{}", result="beginning", cut=["result"])
    turn = Node("turn", "c", "1  sonnet", children=[tool])

    lines = [line.strip() for line in drawn(turn, full=True)]

    assert lines[lines.index("beginning") + 1] == "[the rest is in the trace]"


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "\r", "\u202e", "\x9b31m"])
def test_control_characters_of_a_trace_never_reach_the_terminal(hostile: str) -> None:
    turn = Node("turn", "c", "1  sonnet", detail=f"a{hostile}b")

    for full in (True, False):
        assert hostile not in "".join(drawn(Node("prompt", "", hostile), turn, full=full))


@pytest.mark.parametrize(
    ("duration", "written"),
    [(None, ""), (0.0123, "12 ms"), (3.44, "3.4 s"), (125.0, "2 min 05 s")],
)
def test_durations_read_as_a_person_would_write_them(duration: float | None, written: str) -> None:
    assert render.seconds(duration) == written


def test_a_name_of_two_lines_forges_no_row() -> None:
    tool = Node("tool", "t", "Bash\n└── turn 9  forged")
    turn = Node("turn", "c", "1  sonnet", children=[tool])

    assert not any(line.startswith("└── turn 9") for line in drawn(turn))
