"""A trace as a notebook or a training job sees it."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

import traceproof
from support import made as story
from traceproof import Trace, open_trace
from traceproof.recorder import semconv
from traceproof.recorder.store import SUFFIX

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "recorder" / "golden" / "format-1.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"20260102T030405Z-claude-0af765{SUFFIX}"


@pytest.fixture
def made(path: Path) -> Path:
    story.write(path)
    return path


def test_a_session_says_who_worked_on_what_and_how_it_ended(made: Path) -> None:
    with open_trace(made) as trace:
        assert trace.id == story.TRACE
        assert trace.agent.name == "claude-code"
        assert trace.exit_code == 0
        assert trace.started == datetime(2025, 11, 13, 2, 13, 20, 123457, UTC)
        assert trace.ended is not None
        assert trace.duration == 9.0
        assert trace.task == {"id": "T-1", "contract": {"goal": "green"}}
        assert [prompt.text for prompt in trace.prompts] == ["Fix é.py" * 100]
        assert trace.facts[semconv.CONSENT] == {"given_by": "Ada", "times": [1, 2.5, True]}
        assert (trace.format_version, trace.problems) == (1, [])


def test_turns_come_in_order_with_what_went_in_and_out(made: Path) -> None:
    with open_trace(made) as trace:
        first, last = trace.turns()

        assert (first.model, first.provider) == ("claude-sonnet-4-5", "anthropic")
        assert [message.text for message in first.input] == ["Fix é.py"]
        (answer,) = last.output
        assert (answer.role, answer.text, answer.finish_reason) == ("assistant", "Fixed.", "stop")
        assert [message.role for message in trace.conversation()] == [
            "user",
            "assistant",
            "user",
            "assistant",
        ]


def test_tokens_and_cost_add_up(made: Path) -> None:
    with open_trace(made) as trace:
        assert trace.usage == traceproof.Usage(2000, 20, 1400, 400)
        assert trace.cost == pytest.approx(sum(turn.cost or 0 for turn in trace.turns()))


def test_every_span_can_be_had_whole_with_who_made_it(made: Path) -> None:
    with open_trace(made) as trace:
        records = list(trace.spans())

    assert [record.from_agent for record in records] == [False, True, False, False, False]
    assert records[2].span.attributes[semconv.TOOL_CALL_RESULT] == story.RESULT["response"]


def test_a_trace_that_is_still_recorded_is_read_as_far_as_it_goes(path: Path) -> None:
    writer = story.write(path, close=False)

    with open_trace(path) as trace:
        assert (trace.ended, trace.duration) == (None, None)
        assert trace.agent.is_pending
        assert [turn.text for turn in trace.turns()] == ["", "Fixed."]
        assert trace.problems == ["the file was not closed: `traceproof repair` ends it"]
    writer.close()


def test_a_trace_that_lost_its_beginning_still_has_its_turns(path: Path, made: Path) -> None:
    plain = zstandard.ZstdDecompressor().stream_reader(made.read_bytes(), read_across_frames=True)
    lines = [line for line in plain.read().splitlines() if b"invoke_agent" not in line]
    path.write_bytes(zstandard.compress(b"\n".join(lines) + b"\n"))

    with open_trace(path) as trace:
        assert trace.id == story.TRACE
        assert (trace.agent.name, trace.exit_code, trace.prompts) == ("", None, [])
        assert [turn.span_id for turn in trace.turns()] == [story.FIRST, story.LAST]
        assert trace.agent.is_pending


def test_what_is_missing_from_a_damaged_file_is_said_when_it_is_asked_for(
    path: Path, made: Path
) -> None:
    plain = zstandard.ZstdDecompressor().stream_reader(made.read_bytes(), read_across_frames=True)
    lines = [line for line in plain.read().splitlines() if rb"\"Fixed.\"" not in line]
    path.write_bytes(zstandard.compress(b"\n".join(lines) + b"\n"))

    with open_trace(path) as trace:
        first, last = trace.turns()
        assert first.output[0].role == "assistant"
        with pytest.raises(ValueError, match=f"{story.LAST}: gen_ai.output.messages: blob"):
            _ = last.output


def test_lost_prompts_and_contracts_are_not_taken_for_empty_ones(path: Path, made: Path) -> None:
    plain = zstandard.ZstdDecompressor().stream_reader(made.read_bytes(), read_across_frames=True)
    lost = (b'"Fix \xc3\xa9.pyFix', rb"\"goal\"")
    lines = [line for line in plain.read().splitlines() if not any(text in line for text in lost)]
    path.write_bytes(zstandard.compress(b"\n".join(lines) + b"\n"))

    with open_trace(path) as trace:
        for ask, name in ((lambda: trace.prompts, "content"), (lambda: trace.task, "contract")):
            with pytest.raises(ValueError, match=f"span {story.ROOT}: .*{name}: it cannot be read"):
                ask()


def test_the_main_agent_is_named_once_whoever_found_it_first(made: Path) -> None:
    with open_trace(made) as trace:
        found = trace.agents()
        del trace.__dict__["tree"], trace.__dict__["_records"]  # as a second thread makes them anew

        assert trace.agents() == found == [trace.agent]


def test_a_file_of_the_first_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.zst"
    path.write_bytes(zstandard.compress(GOLDEN.read_bytes()))

    with open_trace(path) as trace:
        assert trace.format_version == 1
        assert list(trace.calls())
        assert trace.conversation()


def test_what_is_no_trace_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_trace(tmp_path / "none")
    for content, said in (
        (b"x" * 100, "is not a trace file"),
        (b"", "is empty"),
        (zstandard.compress(b'{"resourceSpans":[]}\n'), "is not a trace file"),
        (
            zstandard.compress(GOLDEN.read_bytes().replace(b'"intValue":"1"', b'"intValue":"9"')),
            "newer",
        ),
    ):
        path = tmp_path / "file"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=said) as raised:
            open_trace(path)
        assert "\n" not in str(raised.value)


def test_a_closed_trace_says_so(made: Path) -> None:
    with open_trace(made) as trace:
        (turn, _) = trace.turns()
    trace.close()

    assert turn.model == "claude-sonnet-4-5"
    with pytest.raises(ValueError, match=re.escape(f"{made}: the trace is closed")):
        _ = turn.input


def test_it_travels_to_other_processes_as_its_path(made: Path) -> None:
    with open_trace(made) as trace:
        (turn, _) = trace.turns()
        with pickle.loads(pickle.dumps(trace)) as again:
            assert again.id == trace.id
        assert pickle.loads(pickle.dumps(turn)) == turn


def _texts(trace: Trace) -> list[str]:
    return [turn.text for turn in trace.turns()]


def test_workers_may_be_forked_while_a_thread_reads(made: Path) -> None:
    with open_trace(made) as trace:
        list(trace.turns())
        with trace.content._reading():  # as another thread may at the moment of the fork
            context = multiprocessing.get_context("fork")
            receiver, sender = context.Pipe(duplex=False)
            worker = context.Process(target=lambda: sender.send(_texts(trace)))
            worker.start()
            assert receiver.poll(20)
            assert receiver.recv() == ["", "Fixed."]
            worker.join()


def test_threads_may_share_it(made: Path) -> None:
    start = threading.Barrier(8)

    def work(_: int) -> list[str]:
        start.wait()
        return _texts(trace)

    with open_trace(made) as trace, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [["", "Fixed."]] * 8


def test_it_reads_what_a_real_recording_left(demonstrated: tuple[object, Path]) -> None:
    (path,) = (demonstrated[1] / ".traceproof" / "traces").glob("*.zst")

    with open_trace(path) as trace:
        said = [(turn.text, [call.name for call in turn.tool_calls]) for turn in trace.turns()]
        bodies = [json.loads(turn.request_body)["model"] for turn in trace.turns()]

    assert [names for _, names in said] == [
        ["bash"],
        ["read_file", "bash"],
        ["edit_file"],
        ["bash"],
        [],
    ]
    assert bodies == ["claude-sonnet-4-5"] * 5


def test_the_public_names_are_those_that_are_listed() -> None:
    assert traceproof.__all__ == sorted(traceproof.__all__)
    assert all(getattr(traceproof, name) is not None for name in traceproof.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = traceproof.other  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import traceproof", {"msgspec", "zstandard", "asyncio", "traceproof.recorder"}),
        ("from traceproof import open_trace", {"typer", "click", "rich", "mitmproxy", "requests"}),
    ],
)
def test_importing_it_brings_no_more_than_it_needs(program: str, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()) & absent == set()


def test_a_copy_is_enough(made: Path, tmp_path: Path) -> None:
    copied = shutil.copy(made, tmp_path / "copy.zst")

    with open_trace(str(copied)) as trace:
        assert _texts(trace) == ["", "Fixed."]
