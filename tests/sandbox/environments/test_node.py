from __future__ import annotations

import json

from traceproof.sandbox.environments.lock import Package
from traceproof.sandbox.environments.node import packages_of


def test_a_lock_of_npm_names_packages_with_their_hashes() -> None:
    lock = {
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "mine", "version": "1.0.0"},
            "node_modules/b": {"version": "2.0.0", "integrity": "sha512-xx"},
            "node_modules/b/node_modules/@s/a": {"version": "1.0.0"},
            "node_modules/mine": {"link": True, "resolved": "lib"},
        },
    }

    assert packages_of(json.dumps(lock)) == (
        Package(name="@s/a", version="1.0.0"),
        Package(name="b", version="2.0.0", hashes=("sha512-xx",)),
    )


def test_a_lock_of_the_first_version_names_none() -> None:
    assert packages_of('{"lockfileVersion": 1, "dependencies": {}}') == ()
