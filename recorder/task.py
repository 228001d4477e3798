"""The task that a recording belongs to: what was asked, and what would count as done.

A task file is TOML or JSON:

    id = "PROJ-123"                 # optional, see `derived_id`
    attempt = 2
    type = "repair"
    risk = "low"
    source_url = "https://issues.example/PROJ-123"
    scenario = "real_dev"           # `--scenario` wins
    reserve_eval = false            # `--reserve-eval` wins

    [contract]
    goal = "The parser accepts empty input."
    acceptance = ["tests/test_parser.py passes"]

Judging a contract is the business of the data loop; this module only reads one.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from traceproof.recorder import semconv
from traceproof.recorder.cleaning import clean_url
from traceproof.recorder.span import Attributes

FILE_NAME = "task.toml"
"""Found in the folder where a recording starts, unless `--task` names another."""

MOST_BYTES = 1 << 20
MOST_SHOWN = 40
"""Characters of a wrong value that are repeated."""


class Type(StrEnum):
    """What kind of work it is."""

    REPAIR = "repair"
    TEST_REINFORCEMENT = "test_reinforcement"
    REFACTORING = "refactoring"
    ARCHITECTURE = "architecture"
    FEATURE = "feature"
    REVIEW = "review"


class Scenario(StrEnum):
    """Where the work comes from, the most telling first."""

    REAL_DEV = "real_dev"
    EVALUATION = "evaluation"
    SYNTHETIC = "synthetic"


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was agreed; each part is a text or a list of texts, as the file has it."""

    goal: str | list[str] = ""
    non_goals: str | list[str] = ""
    inputs_outputs: str | list[str] = ""
    context_bounds: str | list[str] = ""
    acceptance: str | list[str] = ""
    prohibitions: str | list[str] = ""

    def encode(self) -> bytes:
        """Return it as JSON, to be stored as a blob: equal contracts, equal bytes."""
        return msgspec.json.encode(self, order="deterministic")


class Task(msgspec.Struct, frozen=True):
    """One task; `id` is empty until one is given or derived."""

    id: str = ""
    attempt: int = 1
    type: Type | None = None
    risk: str = ""
    source_url: str = ""
    scenario: Scenario = Scenario.REAL_DEV
    reserve_eval: bool = False
    contract: Contract | None = None

    def attributes(self) -> Attributes:
        """Return what goes on the root span; the contract is for a blob."""
        known: Attributes = {
            semconv.TASK_ID: self.id,
            semconv.TASK_ATTEMPT: self.attempt,
            semconv.TASK_TYPE: self.type.value if self.type else "",
            semconv.TASK_RISK: self.risk,
            semconv.TASK_SOURCE_URL: self.source_url,
            semconv.SCENARIO: self.scenario.value,
        }
        if self.reserve_eval:
            known[semconv.RESERVE_EVAL] = True
        return {name: value for name, value in known.items() if value != ""}


class TaskError(ValueError):
    """A task file is wrong; `mistakes` has one line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def find(folder: Path) -> Path | None:
    """Return the task file that lies in a folder, if one does."""
    path = folder / FILE_NAME
    return path if path.is_file() else None


def load(path: Path) -> Task:
    """Read a task file.

    Raises:
        TaskError: it cannot be read, or is wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TaskError([f"{path}: {error.strerror}"]) from None
    if len(data) > MOST_BYTES:
        raise TaskError([f"{path}: longer than {MOST_BYTES} bytes, so it is not a task file"])
    return decode(data, str(path))


def decode(data: bytes, name: str = FILE_NAME) -> Task:
    """Read a task from the bytes of a file, JSON where its name ends in `.json`.

    Raises:
        TaskError: the bytes are neither, or fields are wrong.
    """
    try:
        text = data.decode("utf-8-sig")
        fields = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except RecursionError:
        raise TaskError([f"{name}: nested too deep"]) from None
    except ValueError as error:
        raise TaskError([f"{name}: {error}"]) from None
    mistakes = [f"{name}: {mistake}" for mistake in _mistakes(fields)]
    if mistakes:
        raise TaskError(mistakes)
    task = msgspec.convert(fields, Task)
    return msgspec.structs.replace(task, source_url=clean_url(task.source_url))


def derived_id(url: str | None, commit: str | None, prompt: str) -> str:
    """Make an id where none was given, so that the same question on the same commit has the same.

    It is `auto-` and 16 hex digits of the SHA-256 of the JSON array [url, commit, prompt], compact
    and in UTF-8; a part that is not known is the empty string, and the prompt's outer white space
    does not count.
    """
    parts = [url or "", commit or "", prompt.strip()]
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return f"auto-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}"


def _mistakes(fields: Any) -> Iterator[str]:
    if not isinstance(fields, dict):
        yield "a task is an object with named fields"
        return
    yield from _unknown(fields, Task, "")
    yield from _wrong(fields, _TASK_FIELDS, "")
    contract = fields.get("contract", {})
    if not isinstance(contract, dict):
        yield "contract is a table of texts"
        return
    yield from _unknown(contract, Contract, "contract.")
    yield from _wrong(contract, dict.fromkeys(Contract.__struct_fields__, _TEXTS), "contract.")


def _unknown(fields: Mapping[str, Any], struct: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    known = struct.__struct_fields__
    for key in fields:
        if key in known:
            continue
        if not prefix and key in Contract.__struct_fields__:
            yield f"{key} belongs under [contract]"
            continue
        near = difflib.get_close_matches(key, known, 1, 0.5)
        hint = f"did you mean {prefix}{near[0]}?" if near else f"known: {', '.join(known)}"
        yield f"unknown field {prefix}{key} ({hint})"


def _wrong(fields: Mapping[str, Any], kinds: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, (kind, description) in kinds.items():
        if key in fields and not _fits(fields[key], kind):
            yield f"{prefix}{key} is {description}, not {_shown(fields[key])}"


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


_TEXTS = (str | list[str], "a text or a list of texts")
_TASK_FIELDS = {
    "id": (Annotated[str, msgspec.Meta(min_length=1, max_length=200)], "a short text"),
    "attempt": (Annotated[int, msgspec.Meta(ge=1)], "a whole number from 1 on"),
    "type": (Type, f"one of {', '.join(Type)}"),
    "risk": (Annotated[str, msgspec.Meta(min_length=1)], "a text"),
    "source_url": (
        Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9+.-]*://\S+$")],
        "a URL",
    ),
    "scenario": (Scenario, f"one of {', '.join(Scenario)}"),
    "reserve_eval": (bool, "true or false"),
}
