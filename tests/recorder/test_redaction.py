from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from traceproof.recorder.patterns import PATTERNS
from traceproof.recorder.redaction import Mask, Redactor, clean_name

KEY = "sk-ant-api03-Zx9_qW3e-fake"


def redactor(**values: str) -> Redactor:
    made = Redactor()
    for name, value in values.items():
        assert made.add(name, value)
    return made


def test_a_key_is_masked_and_its_place_is_listed() -> None:
    masked = redactor(ANTHROPIC_API_KEY=KEY).mask(f"a={KEY} b={KEY}".encode())

    assert masked.data == b"a=<SECRET:ANTHROPIC_API_KEY> b=<SECRET:ANTHROPIC_API_KEY>"
    assert masked.masks == [
        Mask(2, "ANTHROPIC_API_KEY", "plain"),
        Mask(31, "ANTHROPIC_API_KEY", "plain"),
    ]


def test_without_a_secret_the_bytes_are_the_same_object() -> None:
    data = b"nothing here"

    assert redactor(KEY=KEY).mask(data).data is data


def test_the_mask_record_says_the_encoding_unless_plain() -> None:
    assert Mask(3, "KEY", "plain").record() == [3, "KEY"]
    assert Mask(3, "KEY", "base64").record() == [3, "KEY", "base64"]


def test_basic_authorization_is_found_in_base64() -> None:
    header = base64.b64encode(f"user:{KEY}".encode())

    masked = redactor(KEY=KEY).mask(b"Authorization: Basic " + header)

    assert [(mask.name, mask.encoding) for mask in masked.masks] == [("KEY", "base64")]
    assert KEY[4:-4].encode() not in base64.b64decode(
        masked.data.partition(b"Basic ")[2].replace(b"<SECRET:KEY>", b""), validate=False
    )


def test_a_secret_in_a_tool_call_in_a_request() -> None:
    value = 'pa"ss\\wo/rd'
    arguments = json.dumps({"command": f"login {value}"})
    body = json.dumps({"messages": [{"arguments": arguments}]})

    masked = redactor(PW=value).mask(body.encode())

    assert [mask.encoding for mask in masked.masks] == ["json2"]
    inner = json.loads(masked.data)["messages"][0]["arguments"]
    assert json.loads(inner) == {"command": "login <SECRET:PW>"}


def test_the_first_name_of_a_value_stays() -> None:
    known = redactor(FIRST=KEY)

    assert known.add("SECOND", KEY)
    assert known.mask_text(KEY) == "<SECRET:FIRST>"


def test_of_overlapping_secrets_the_longest_names_the_mask_and_no_end_sticks_out() -> None:
    known = redactor(SHORT="abcd1234", LONG="wxyzabcd1234", OTHER="1234efghijkl")

    assert known.mask_text("wxyzabcd1234") == "<SECRET:LONG>"
    assert known.mask_text("abcd1234") == "<SECRET:SHORT>"
    assert known.mask_text("-abcd1234efghijkl-") == "-<SECRET:OTHER>-"
    assert known.mask_text("abcd1234abcd1234") == "<SECRET:SHORT><SECRET:SHORT>"


@pytest.mark.parametrize(
    "value",
    ["", "short", "localhost", "DISABLED", "********", "00000000", "16384000", "ababababab"],
)
def test_common_words_are_not_secrets(value: str) -> None:
    known = Redactor()

    assert not known.add("TOKEN", value)
    assert known.mask_text(f"={value}=") == f"={value}="


@pytest.mark.parametrize(
    ("name", "clean"),
    [("x-api-key", "X_API_KEY"), ("cookie a.b", "COOKIE_A_B"), ("", "VALUE"), ("Ä>", "VALUE")],
)
def test_names_are_capitals_digits_and_underscores(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_text_keeps_half_surrogate_pairs() -> None:
    assert redactor(KEY=KEY).mask_text(f"\ud83d {KEY}") == "\ud83d <SECRET:KEY>"


def test_nothing_shows_a_value() -> None:
    known = redactor(KEY=KEY)

    assert repr(known) == "<Redactor of 1 values, 0 rules>"


def test_exact_values_name_the_mask_before_patterns() -> None:
    known = Redactor(PATTERNS)
    known.add("MINE", KEY)
    other = "sk-ant-api03-0123456789abcdefghij"

    assert known.mask_text(f"Bearer {KEY}") == "Bearer <SECRET:MINE>"
    masked = known.mask(other.encode())
    assert masked.masks == [Mask(0, "ANTHROPIC_KEY", "pattern")]
    assert redactor(MINE=KEY).mask_text(other) == other


@pytest.mark.parametrize(
    ("tail", "held"),
    [(b"", 0), (b"hello", 0), (b"see s", 1), (b"see sk-ant-", 7), (KEY.encode(), 0)],
)
def test_holdback(tail: bytes, held: int) -> None:
    assert redactor(KEY=KEY).holdback(tail) == held


def test_a_whole_secret_that_the_next_byte_may_prolong_is_held() -> None:
    known = redactor(SHORT="abcd1234", LONG="abcd12345678")

    assert known.holdback(b"-abcd1234") == 8
    assert known.holdback(b"-abcd1234-") == 0


def test_secrets_may_be_added_while_others_mask() -> None:
    known = Redactor()
    values = [f"secret-{number:04d}-value" for number in range(40)]

    def add_and_mask(value: str) -> str:
        assert known.add(value, value)
        return known.mask_text(value)

    with ThreadPoolExecutor(8) as pool:
        masked = list(pool.map(add_and_mask, values))

    assert masked == [f"<SECRET:{clean_name(value)}>" for value in values]
    assert not any(value in known.mask_text(" ".join(values)) for value in values)


def test_a_megabyte_without_secrets_takes_milliseconds() -> None:
    known = redactor(
        **{f"K{number}": f"sk-ant-{number}-" + "aZ09_-xY" * number for number in range(4, 14)}
    )
    line = json.dumps({"type": "text", "text": "Plain words, code(1, 2) and paths/like/this.py\n"})
    body = line.encode() * ((1 << 20) // len(line))

    times = []
    for _ in range(5):
        started = time.perf_counter()
        known.mask(body)
        times.append(time.perf_counter() - started)

    assert min(times) < 0.05  # about 3 ms here, and a compiled alternation took 43 ms


def test_many_values_at_once_are_masked_each_by_its_name() -> None:
    redactor = Redactor()

    redactor.add_all((f"KEY_{number}", f"made-up-value-{number:03}") for number in range(200))

    assert redactor.mask_text("made-up-value-007 and made-up-value-199") == (
        "<SECRET:KEY_7> and <SECRET:KEY_199>"
    )


@pytest.mark.parametrize("kept", range(1, len(KEY) + 1))
def test_what_is_left_of_a_secret_in_a_text_that_was_cut_goes(kept: int) -> None:
    masked = redactor(KEY=KEY).mask_cut(f"é {KEY} and {KEY[:kept]}")

    assert masked == "é <SECRET:KEY> and " + ("<SECRET:KEY>" if kept == len(KEY) else "")


def test_a_cut_text_without_a_secret_is_as_it_was() -> None:
    assert redactor(KEY=KEY).mask_cut("nothing é") == "nothing é"
