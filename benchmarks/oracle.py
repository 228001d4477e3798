"""Are known flaky tests found, with the right cause, and are steady ones left alone?

`traceproof verify` is run on what benchmarks/oracle/ has labels for: three packages with published
labels (their sdists come from the index by pip, checked by hash, and are not kept), and small tests
made for the purpose, one for each cause. Prints recall and precision per cause; exits with 1 where
a label is not recognised, a steady test of ours is called unsteady, or more than 1 % of the
published packages' other tests are (a flip that `verify --repeat` shows again is none of these).

    python -P benchmarks/oracle.py [--sandbox docker|local] [--only NAME]... [--json FILE]
        [--runs N] [--verdicts DIR] [--jobs N]

With `--verdicts` verdicts are kept there, and those that are there already are not made again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from traceproof.replay import verdictfile

sys.path.append(str(Path(__file__).parent.parent))  # for the helpers: `python -P` leaves it out
from benchmarks._oracle import (
    FOLDER,
    Alarm,
    Score,
    Subject,
    complaints,
    false_alarms,
    score,
    subjects,
    table,
)

TRACEPROOF = (sys.executable, "-P", "-m", "traceproof")
ANSWERED = (0, 1)
"""Exit codes of a `verify` that came to its end."""


def main() -> int:
    """Run what was asked for; the exit code says whether it is good enough."""
    known = subjects()
    options = arguments(list(known))
    scores = []
    with kept(options.verdicts) as folder:
        for name in options.only or known:
            scores.append(measured(known[name], folder, options))
            tell(scores[-1])
    wrong = list(complaints(scores, everything=options.sandbox == "docker"))
    summary(scores, wrong)
    if options.json:
        write(Path(options.json), scores, wrong)
    return 1 if wrong else 0


def arguments(names: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sandbox", choices=("docker", "local"), default="docker")
    parser.add_argument("--only", choices=names, action="append")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--runs", type=int, default=0, help="in place of the subjects' own")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--verdicts", metavar="DIR", type=Path)
    return parser.parse_args()


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """Give the folder of verdicts, a passing one where none was named."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="traceproof-oracle-") as name:
        yield Path(name)


def measured(subject: Subject, folder: Path, options: argparse.Namespace) -> Score:
    """Return how a subject's verdict compares with its labels."""
    place = folder / subject.name
    tree = place / "tree"
    if not tree.exists():
        fill(tree, subject)
    path = verdict_of(subject, tree, place, options)
    compared = score(subject, verdictfile.read(path))
    alarms = tuple(again(alarm, path) for alarm in compared.alarms)
    return msgspec.structs.replace(compared, alarms=alarms)


def verdict_of(subject: Subject, tree: Path, folder: Path, options: argparse.Namespace) -> Path:
    """Return the file of a subject's verdict; it is made unless it is there."""
    if not any(folder.glob(f"*{verdictfile.SUFFIX}")):
        words = ["--repo", str(tree), "--as-of", subject.as_of, "--tests", subject.tests]
        words += ["--sandbox", options.sandbox, "--report", str(folder)]
        words += ["--runs", str(options.runs or subject.runs), "--jobs", str(options.jobs)]
        words += ["--allow-network"] if subject.network else []
        done = subprocess.run([*TRACEPROOF, "verify", *words], check=False, stdout=sys.stderr)
        if done.returncode not in ANSWERED:
            sys.exit(f"{subject.name}: verify ended with {done.returncode}")
    (path,) = folder.glob(f"*{verdictfile.SUFFIX}")
    return path


def fill(tree: Path, subject: Subject) -> None:
    """Write a subject's tree: a copy, since a folder in this repository would be this repository.

    Raises:
        CalledProcessError: the index lacks the sdist, or has another by that name.
    """
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tree.parent) as name:
        scratch = Path(name)
        if subject.sdist:
            unpack(subject, scratch)
        else:
            copy(subject.folder, scratch / "copy")
        (made,) = (path for path in scratch.iterdir() if path.is_dir())
        made.rename(tree)


def unpack(subject: Subject, scratch: Path) -> None:
    """Get an sdist from the index by pip, which checks its hash, and unpack it."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{subject.sdist} --hash=sha256:{subject.sha256}\n")
    words = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps"]
    words += ["--no-binary=:all:", "--require-hashes", "-r", str(wanted), "-d", str(scratch)]
    subprocess.run(words, check=True, stdout=sys.stderr)
    (archive,) = scratch.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(scratch, filter="data")


def copy(name: str, target: Path) -> None:
    """Copy a folder beside the labels, without what a run of its tests may have left there."""
    left = shutil.ignore_patterns("__pycache__", ".pytest_cache", "*.egg-info", "build")
    shutil.copytree(FOLDER / name, target, ignore=left)


def again(alarm: Alarm, verdict: Path) -> Alarm:
    """Run what the verdict says shows the flip."""
    if not alarm.run:
        return alarm
    words = [*TRACEPROOF, "verify", str(verdict), "--repeat", alarm.run]
    done = subprocess.run(words, check=False, stdout=sys.stderr)
    return msgspec.structs.replace(alarm, reproduced=done.returncode == 0)


def tell(found: Score) -> None:
    """Print what came of one subject."""
    print(f"{found.name}: {found.tests} tests, {found.runs} runs, {found.seconds:.0f} s")
    for item in found.found:
        mark = "found " if item.recognised else "MISSED" if item.shown else "no way"
        print(f"  {mark} {item.label.test}: {item.why}")
    for alarm in found.alarms:
        mark = "shown " if alarm.reproduced else "FALSE "
        print(f"  {mark} {alarm.test}: {alarm.class_}: {alarm.text}")


def summary(scores: Sequence[Score], wrong: Sequence[str]) -> None:
    """Print the table as it stands in docs/benchmarks.md."""
    print("\n| cause | labels | recognised | recall | called so | precision |")
    print("|---|---|---|---|---|---|")
    for row in table(scores):
        rates = f"{row.recall:.0%} | {row.called} | {row.precision:.0%}"
        print(f"| {row.cause} | {row.labels} | {row.recognised} | {rates} |")
    false, of = false_alarms(scores)
    if of:
        print(f"\nfalse alarms: {false} of {of} unlabelled tests ({false / of:.1%})")
    for line in wrong:
        print(f"not good enough: {line}")


def write(path: Path, scores: Sequence[Score], wrong: Sequence[str]) -> None:
    """Write all of it."""
    rows = [
        {**msgspec.to_builtins(row), "recall": row.recall, "precision": row.precision}
        for row in table(scores)
    ]
    false, of = false_alarms(scores)
    document = {
        "subjects": scores,
        "causes": rows,
        "false_alarms": false,
        "unlabelled": of,
        "not_good_enough": wrong,
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
