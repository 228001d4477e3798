from __future__ import annotations

from traceproof.recorder.agents.intext import AIDER, MINI


def test_mini_runs_the_one_block_of_its_kind() -> None:
    assert MINI.find("I look.\n\n```mswea_bash_command\nls -la\n```\n") == ["ls -la"]
    assert MINI.find("```mswea_bash_command\na\n```\n```mswea_bash_command\nb\n```") == []
    assert MINI.find("```bash\nls\n```") == []


def test_mini_tells_what_came_of_it() -> None:
    assert MINI.tells("ls", "<returncode>0</returncode>\n<output>\na\n</output>")
    assert not MINI.tells("ls", "Format error: one action, please.")


def test_aider_runs_each_shell_block_once() -> None:
    fenced = "```sh\nls\n```"
    first = "```bash\npython3 a.py\n# again\npython3 a.py -v\n```"
    said = f"Try:\n{first}\nor\n{fenced}\n{fenced}"

    assert AIDER.find(said) == ["python3 a.py\n# again\npython3 a.py -v", "ls"]


def test_a_shell_script_that_aider_edits_is_no_command() -> None:
    edit = "run.sh\n```bash\n<<<<<<< SEARCH\n=======\nls\n>>>>>>> REPLACE\n```\n"
    below = "```bash\nrun.sh\n<<<<<<< SEARCH\n=======\nls\n>>>>>>> REPLACE\n```\n"

    assert AIDER.find(edit) == []
    assert AIDER.find(below) == []
    assert AIDER.find(edit + "```bash\nsh run.sh\n```") == ["sh run.sh"]
    assert AIDER.find("```bash\ncut off") == ["cut off"]


def test_aider_tells_what_a_command_printed() -> None:
    assert AIDER.tells("# first\nls -l", "Output from ls -l\na\n\n\n")
    assert not AIDER.tells("ls", "I ran ls.")
