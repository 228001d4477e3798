from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceproof.recorder.task import (
    Contract,
    Scenario,
    Task,
    TaskError,
    Type,
    decode,
    derived_id,
    find,
    load,
)

TOML = b"""
id = "PROJ-123"
attempt = 2
type = "repair"
risk = "low"
source_url = "https://user:pw@issues.example/PROJ-123"
scenario = "evaluation"
reserve_eval = true

[contract]
goal = "The parser accepts empty input."
acceptance = ["tests/test_parser.py passes", "no new dependency"]
"""


def test_a_task_in_toml() -> None:
    task = decode(TOML)

    assert task == Task(
        id="PROJ-123",
        attempt=2,
        type=Type.REPAIR,
        risk="low",
        source_url="https://issues.example/PROJ-123",
        scenario=Scenario.EVALUATION,
        reserve_eval=True,
        contract=Contract(
            goal="The parser accepts empty input.",
            acceptance=["tests/test_parser.py passes", "no new dependency"],
        ),
    )
    assert task.attributes() == {
        "traceproof.task.id": "PROJ-123",
        "traceproof.task.attempt": 2,
        "traceproof.task.type": "repair",
        "traceproof.task.risk": "low",
        "traceproof.task.source_url": "https://issues.example/PROJ-123",
        "traceproof.scenario": "evaluation",
        "traceproof.reserve_eval": True,
    }
    assert task.contract
    assert json.loads(task.contract.encode()) == {
        "goal": "The parser accepts empty input.",
        "acceptance": ["tests/test_parser.py passes", "no new dependency"],
    }


def test_a_task_in_json_and_the_least_of_all_tasks() -> None:
    assert decode(b'{"id": "a"}', "task.json") == Task(id="a")
    assert decode(b"\xef\xbb\xbf") == Task()
    assert Task().attributes() == {
        "traceproof.task.attempt": 1,
        "traceproof.scenario": "real_dev",
    }


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("atempt = 1", "unknown field atempt (did you mean attempt?)"),
        ("zzz = 1", "unknown field zzz (known: " + ", ".join(Task.__struct_fields__) + ")"),
        ('goal = "x"', "goal belongs under [contract]"),
        ("attempt = 0", "attempt is a whole number from 1 on, not 0"),
        ('attempt = "2"', 'attempt is a whole number from 1 on, not "2"'),
        ('type = "bugfix"', f'type is one of {", ".join(Type)}, not "bugfix"'),
        ('scenario = "prod"', 'scenario is one of real_dev, evaluation, synthetic, not "prod"'),
        ('source_url = "PROJ-1"', 'source_url is a URL, not "PROJ-1"'),
        ('id = ""', 'id is a short text, not ""'),
        ("reserve_eval = 1", "reserve_eval is true or false, not 1"),
        ('contract = "x"', "contract is a table of texts"),
        ('contract.goals = "x"', "unknown field contract.goals (did you mean contract.goal?)"),
        ("contract.goal = 1", "contract.goal is a text or a list of texts, not 1"),
        ("risk = 2026-01-01", 'risk is a text, not "2026-01-01"'),
    ],
)  # fmt: skip
def test_each_mistake_is_one_clear_line(line: str, mistake: str) -> None:
    with pytest.raises(TaskError) as raised:
        decode(line.encode(), "task.toml")

    assert raised.value.mistakes == [f"task.toml: {mistake}"]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(TaskError, match="atempt") as raised:
        decode(b"atempt = 1\nattempt = 0\n")

    assert len(raised.value.mistakes) == 2


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"id = ", "t.toml"), (b"{", "t.json"), (b"\xff", "t.toml"), (b"[1]", "t.json"),
     (b"[" * 100_000, "t.json")],
)  # fmt: skip
def test_what_is_no_task_file(data: bytes, name: str) -> None:
    with pytest.raises(TaskError) as raised:
        decode(data, name)

    assert str(raised.value).startswith(f"{name}: ")
    assert "\n" not in str(raised.value)


def test_finding_and_loading(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    (tmp_path / "task.toml").write_bytes(TOML)

    found = find(tmp_path)

    assert found
    assert load(found).id == "PROJ-123"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(TaskError, match="Is a directory"):
        load(tmp_path)
    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(TaskError, match="not a task file"):
        load(tmp_path / "huge.toml")


def test_an_id_is_derived_from_repository_commit_and_prompt() -> None:
    first = derived_id("https://host/r", "abc", "Fix it\n")

    assert first == "auto-9b9eb6a91a100336"
    assert derived_id("https://host/r", "abc", "Fix it") == first
    assert derived_id("https://host/r", "abd", "Fix it") != first
    assert derived_id(None, None, "Fix it \ud800").startswith("auto-")
