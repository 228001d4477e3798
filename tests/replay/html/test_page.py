from __future__ import annotations

from html.parser import HTMLParser

from support import verdicts
from traceproof.replay.html.page import page
from traceproof.replay.steps.report import Step, report
from traceproof.replay.verdict import Verdict

VOID = {"meta", "input", "br"}


class Read(HTMLParser):
    """The page as a browser's parser sees it: elements, text, and whether all are closed."""

    def __init__(self, made: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(made.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def ids(self) -> list[str]:
        return [value for _, told in self.tags if (value := told.get("id"))]


def hostile() -> Verdict:
    return verdicts.verdict(
        verdicts.victim(verdicts.EVIL, polluter=verdicts.EVIL + "2"),
        verdicts.random_one("b" + verdicts.EVIL),
        reason=verdicts.EVIL,
        notes=(verdicts.EVIL,),
    )


def test_a_page_is_whole_and_its_links_lead_somewhere() -> None:
    read = Read(page(verdicts.verdict(), file="a.verdict.json"))

    assert read.open == []
    ids = read.ids()
    assert len(ids) == len(set(ids))
    links = [told["href"] for tag, told in read.tags if tag == "a"]
    assert links
    assert {str(link).removeprefix("#") for link in links} <= set(ids)


def test_nothing_is_loaded_and_nothing_runs() -> None:
    for made in (verdicts.verdict(), hostile()):
        read = Read(page(made))

        loading = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "svg"}
        assert {tag for tag, _ in read.tags} & loading == set()
        names = {name for _, told in read.tags for name in told}
        assert {name for name in names if name.startswith("on")} | names & {"src"} == set()
        assert ("http-equiv", "Content-Security-Policy") in [
            item for _, told in read.tags for item in told.items()
        ]
        assert b"url(" not in page(made)
        assert b"@import" not in page(made)


def test_hostile_names_are_only_ever_text() -> None:
    read = Read(page(hostile()))

    assert "<script>alert(1)</script>" in read.text
    assert "⟨U+202E⟩evil⟨U+2066⟩" in read.text
    assert not set(read.text) & set("\u202e\u2066\x00\x1b")


def test_the_answer_comes_first_in_words() -> None:
    text = Read(page(verdicts.verdict())).text

    assert text.index("Verified: the tests are steady, and the task is resolved") < 200
    assert "with 95 % confidence for each, at most 4.95 % of its runs come out otherwise" in text
    about = f"project at {verdicts.COMMIT[:12]} and a patch · python -m pytest -q"
    assert text.index(about) < text.index("Isolation: container. Every box was a container")
    assert "FAIL_TO_PASS" in text


def test_an_unsteady_test_has_its_cause_and_the_command_that_repeats_it() -> None:
    text = Read(page(verdicts.verdict(), file="it's.verdict.json")).text

    assert "Cause: order of the tests" in text
    assert "2 of 2 came out otherwise" in text
    repeat = "traceproof verify 'it'\"'\"'s.verdict.json' --repeat 'final/probe/1#0'"
    assert repeat in text
    assert "To see it (failed), in the folder of this page:" in text
    assert "traceproof verify 'it'\"'\"'s.verdict.json' --repeat final/" in text
    assert f"python -m pytest '{verdicts.POLLUTER}'" in text


def test_the_heat_map_says_in_figures_what_it_says_in_colour() -> None:
    read = Read(page(verdicts.verdict()))

    hot = [told for tag, told in read.tags if tag == "td" and str(told.get("class")) == "h5"]
    assert len(hot) == 1
    assert "4/4" in read.text
    assert "10/21" in read.text


def test_a_replay_is_shown_step_by_step() -> None:
    steps = [
        Step(number=1, kind="command", name="make", exit_recorded="0", exit_replayed="2"),
        Step(number=2, kind="command", name="curl", status="skipped", why="needs the network"),
    ]
    text = Read(page(verdicts.verdict(), report(steps))).text

    assert "The recorded session, step by step" in text
    assert "0 → 2" in text
    assert "needs the network" in text


def test_a_verdict_with_nothing_in_it_is_a_page_too() -> None:
    bare = verdicts.verdict(
        class_="environment_failed", outcome=None, verified=False, tests=(), controls=(),
        environment=None, runs=(), notes=(), fail_to_pass=(), pass_to_pass=(), taken_out=(),
    )  # fmt: skip
    read = Read(page(bare))

    assert read.open == []
    assert "Not verified: the environment failed" in read.text


def test_a_thousand_tests_are_one_page_of_less_than_a_megabyte() -> None:
    many = [verdicts.steady(f"tests/test_{k // 20}.py::test_{k}") for k in range(1000)]
    made = page(verdicts.verdict(*many))

    assert len(made) < 1_000_000
    assert Read(made).open == []
