from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.testruns.words import MAX_SCRIPT, parse


def words(script: str) -> list[list[str]]:
    return [command.words for command in parse(script).commands() if command.words]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cd x && pytest -q 2>&1 | tail -5", [["cd", "x"], ["pytest", "-q"], ["tail", "-5"]]),
        ("A=1 B='a b' pytest; echo $?", [["pytest"], ["echo", "$?"]]),
        (
            "(cd a; go test ./...) && echo ok",
            [["cd", "a"], ["go", "test", "./..."], ["echo", "ok"]],
        ),
        ("cat <<'E' > f\npytest -q\nE\nls", [["cat"], ["ls"]]),
        ("cat <<-E\n\tpytest\n\tE\nls", [["cat"], ["ls"]]),
        ("cat <<< pytest", [["cat"]]),
        ('OUT=$(pytest -q "a b" 2>&1); echo "$OUT"', [["pytest", "-q", "a b"], ["echo", "$OUT"]]),
        ("x=`pytest -x`", [["pytest", "-x"]]),
        ('echo "$(pytest "a b")"', [["pytest", "a b"], ["echo", "$(…)"]]),
        ("# pytest\nls # pytest", [["ls"]]),
        ("ls a\\ b \\\n  c", [["ls", "a b", "c"]]),
        ("echo $'it\\'s' ${x:-a b} $((1 + 1))", [["echo", "it's", "${x:-a b}", "$((…))"]]),
        ("echo 'unfinished", [["echo", "unfinished"]]),
        ("ls &>log & wait", [["ls"], ["wait"]]),
        ("", []),
    ],
)
def test_a_script_comes_apart_into_words(script: str, expected: list[list[str]]) -> None:
    assert words(script) == expected


def test_what_ties_pipelines_is_told() -> None:
    script = parse("a | b && c || d; e & ! f")

    assert [(p.tie, len(p.commands), p.background, p.negated) for p in script.pipelines] == [
        (";", 2, False, False),
        ("&&", 1, False, False),
        ("||", 1, False, False),
        (";", 1, True, False),
        (";", 1, False, True),
    ]


@pytest.mark.parametrize(
    "script",
    ["if a; then b; fi", "for x in a b; do c $x; done", "f() { a; }", "while a; do b; done"],
)
def test_compound_commands_are_marked(script: str) -> None:
    assert parse(script).compound


def test_assignments_are_apart_from_words() -> None:
    (command,) = parse("A=1 B+=two C[0]=x env D=4").commands()

    assert (command.assigned, command.words) == (
        {"A": "1", "B": "two", "C[0]": "x"},
        ["env", "D=4"],
    )


@given(st.text(st.sampled_from("ab '\"`$(){}<>|&;\\\n#=!-E0"), max_size=200))
def test_anything_can_be_read(script: str) -> None:
    for command in parse(script).commands():
        assert all(isinstance(word, str) for word in command.words)


@pytest.mark.parametrize("piece", ["$(", "(", "`", "<<E\n", "'", '"', "${", "a;", "\\\n", "{1"])
def test_long_nonsense_is_read_in_no_time(piece: str) -> None:
    parse(piece * (MAX_SCRIPT // len(piece)))
