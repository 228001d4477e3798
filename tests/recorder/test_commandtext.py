from __future__ import annotations

import json

import pytest

from traceproof.recorder.calls import ToolRequest
from traceproof.recorder.commandtext import Fit, Script, wanted

CLAUDE = (
    "source /home/a/snapshot-bash-1.sh 2>/dev/null || true && shopt -u extglob 2>/dev/null || true"
    " && eval '{}' < /dev/null && pwd -P >| /tmp/claude-7f60-cwd"
)
GEMINI = """shopt -u promptvars nullglob extglob nocaseglob dotglob; _bgpids_file=/tmp/bgpids.tmp
(
  trap 'jobs -p > "$_bgpids_file"' EXIT
{}
)
__code=$?
exit $__code"""


def fit(script: str, /, **arguments: object) -> tuple[Fit, str]:
    return wanted(ToolRequest("t", "bash", json.dumps(arguments))).fit(Script(script))


@pytest.mark.parametrize("name", ["command", "cmd", "script", "commands"])
def test_the_argument_has_many_names(name: str) -> None:
    assert fit("ls -la\n", **{name: " ls -la"}) == (Fit.EQUAL, "ls -la")


def test_a_command_in_words_is_its_last_word_or_all_of_them() -> None:
    assert fit("ls -la", command=["bash", "-lc", "ls -la"]) == (Fit.EQUAL, "ls -la")
    assert fit("make 'a b'", command=["make", "a b"]) == (Fit.EQUAL, "make 'a b'")


def test_claudes_and_geminis_wrappers_hand_it_on() -> None:
    assert fit(CLAUDE.format("ls"), command="ls") == (Fit.WRAPPED, "ls")
    quoted = CLAUDE.format("echo '\"'\"'a  b'\"'\"' \\& $(c)")
    assert fit(quoted, command="echo 'a  b' \\& $(c)") == (Fit.WRAPPED, "echo 'a  b' \\& $(c)")
    assert fit(GEMINI.format("ls"), command="ls") == (Fit.WRAPPED, "ls")
    assert fit("exec '/bin/bash' -c 'ls'", command="ls") == (Fit.WRAPPED, "ls")


def test_a_short_command_is_not_found_in_just_any_text() -> None:
    assert fit("ls /tmp && false", command="ls")[0] is Fit.NONE
    assert fit(CLAUDE.format("ls -la"), command="ls")[0] is Fit.NONE


def test_a_longer_one_is_found_whatever_its_quotes() -> None:
    heredoc = "cat <<'EOF' > a\nit's\nEOF"

    assert fit(CLAUDE.format(heredoc.replace("'", "\\'")), command=heredoc) == (Fit.WITHIN, heredoc)


def test_a_program_may_run_any_command_in_it() -> None:
    program = 'const ran = await tools.exec_command({"cmd": "echo \\"two  words\\""}); text(ran);'
    call = wanted(ToolRequest("t", "exec", program))

    assert call.fit(Script('echo "two  words"')) == (Fit.WITHIN, 'echo "two  words"')
    wrapped = "set -e\nexec '/bin/bash' -c 'echo \"two  words\"'"
    assert call.fit(Script(wrapped)) == (Fit.WITHIN, 'echo "two  words"')
    assert call.fit(Script("echo three")) == (Fit.NONE, "")
    assert call.fit(Script("")) == (Fit.NONE, "")
    assert fit("ls -l", code="import os; os.system('ls -l')")[0] is Fit.WITHIN


def test_as_many_commands_may_come_of_a_text_as_it_is_there() -> None:
    program = wanted(ToolRequest("t", "exec", "await run('make all'); await run('make all');"))
    command = wanted(ToolRequest("t", "bash", '{"command":"ls"}'))

    assert (program.room("make all"), command.room("ls")) == (2, 1)


def test_a_long_wrapper_is_looked_into_at_once() -> None:
    many = "".join(f"if [ -n \"$A{n}\" ]; then unset 'B{n}'; fi\n" for n in range(20_000))

    assert fit(f"{many}exec '/bin/bash' -c 'ls'", command="ls") == (Fit.WRAPPED, "ls")
    assert fit("eval '" * 100_000, command="ls")[0] is Fit.NONE


def test_an_argument_of_another_name_has_to_be_the_same() -> None:
    assert fit("make test", target="make test") == (Fit.EQUAL, "make test")
    assert fit("cd /a && make test", target="make test")[0] is Fit.NONE


def test_a_block_of_text_is_as_many_commands_as_it_has_lines() -> None:
    said = ToolRequest("t", "bash", '{"command":"ls\\n# now\\npwd"}', in_text=lambda _: True)

    assert wanted(said).texts == ("ls\n# now\npwd", "ls", "pwd")
    ran = ToolRequest("t", "bash", '{"command":"python3 hello.py"}', in_text=lambda _: True)
    assert wanted(ran).fit(Script("python3 hello.py | grep -qx hi"))[0] is Fit.NONE
    assert wanted(ToolRequest("t", "bash", '{"command":"ls\\npwd"}')).texts == ("ls\npwd",)


@pytest.mark.parametrize("arguments", ["[]", "3", "null", "{}", '"ls"', "[" * 100_000])
def test_odd_arguments_want_nothing_that_is_named(arguments: str) -> None:
    assert wanted(ToolRequest("t", "bash", arguments)).texts == ()
