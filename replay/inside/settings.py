"""Options of pytest and its plugins that would hide a flip, cut a run short, or change its order.

Each is set aside for the session, and named in what is reported.
"""

import os
from typing import Any, List, Tuple

ASIDE: Tuple[Tuple[str, Any], ...] = (
    ("maxfail", 0),
    ("continue_on_collection_errors", True),
    ("lf", False),
    ("failedfirst", False),
    ("newfirst", False),
    ("stepwise", False),
    ("usepdb", False),
    ("numprocesses", None),
    ("dist", "no"),
    ("tx", []),
    ("looponfail", False),
    ("reruns", 0),
    ("flake_finder_enable", False),
    ("randomly_reorganize", False),
    ("random_order_enable", False),
    ("random_order_bucket", "none"),
    ("cov_fail_under", None),
)


def set_aside(config: Any, seed: int) -> List[str]:
    """Set the options; return the names of those that had another value."""
    changed = []
    for name, value in ASIDE:
        old = getattr(config.option, name, value)
        if old != value and (old or value):
            setattr(config.option, name, value)
            changed.append(name)
    for name in ("randomly_seed", "hypothesis_seed"):
        if hasattr(config.option, name):
            given = seed % (1 << 32)
            setattr(config.option, name, str(given) if name == "hypothesis_seed" else given)
    return changed


def only_files(config: Any, tests: List[str]) -> None:
    """Have pytest collect the files of these tests, and no other; all where one is missing."""
    root = str(getattr(config, "rootpath", None) or config.rootdir)
    names = [test.split("::")[0] for test in tests]
    files = [os.path.join(root, name) for name in sorted(set(names), key=names.index)]
    if files and all(os.path.exists(file) for file in files):
        config.args = files
