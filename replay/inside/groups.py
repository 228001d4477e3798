"""Which tests share a fixture of a class, a module or a package; orders that keep them together.

A shuffle that splits such a fixture makes set-up errors that no test is to blame for.
"""

import random
from typing import Any, Callable, Dict, List, Set, Tuple

SEPARATOR = " > "
SCOPES = ("package", "module", "class")

Path = Tuple[str, ...]
_Entry = Tuple[Path, Any]


def paths(items: List[Any]) -> List[Path]:
    """Return for each of pytest's items what it shares with others, outermost first."""
    alone = [_path(item) for item in items]
    counts: Dict[str, int] = {}
    for path in alone:
        for name in path:
            counts[name] = counts.get(name, 0) + 1
    return [tuple(name for name in path if counts[name] > 1) for path in alone]


def _path(item: Any) -> Path:
    scopes: Set[str] = set()
    info = getattr(item, "_fixtureinfo", None)
    for definitions in getattr(info, "name2fixturedefs", {}).values():
        scopes.update(one.scope for one in definitions if not _empty(one, item))
    places = _places(item)
    return tuple(places[scope] for scope in SCOPES if scope in scopes and scope in places)


def _places(item: Any) -> Dict[str, str]:
    places: Dict[str, str] = {}
    for node in item.listchain():
        names = {kind.__name__ for kind in type(node).__mro__}
        if "Module" in names:
            places["module"] = node.nodeid
            places["package"] = node.nodeid.rpartition("/")[0] or "."
        elif "Class" in names:
            places["class"] = node.nodeid
    return places


def _empty(definition: Any, item: Any) -> bool:
    """Tell whether a fixture is what pytest makes of `TestCase`'s own setUpClass: nothing."""
    name = definition.argname
    if "unittest_setUpClass" not in name and "pytest_class_setup" not in name:
        return False
    cls = getattr(item, "cls", None)
    return cls is not None and not class_fixture(cls)


def class_fixture(cls: Any) -> bool:
    """Tell whether a TestCase has a setUpClass or tearDownClass of its own."""
    import unittest  # noqa: PLC0415 -- no run without it needs it

    return any(
        getattr(getattr(cls, name, None), "__func__", None)
        is not getattr(unittest.TestCase, name).__func__
        for name in ("setUpClass", "tearDownClass")
    )


def arrange(entries: List[_Entry], shuffle: str, seed: int) -> List[Any]:
    """Return things with their paths reversed or shuffled, groups kept together.

    Args:
        entries: a path and a thing each.
        shuffle: `reverse` or `random`; anything else leaves them.
        seed: for `random`; any Python makes the same of it.
    """
    if shuffle == "reverse":
        return _arranged(entries, 0, lambda members: members.reverse())
    if shuffle == "random":
        generator = random.Random(seed)  # noqa: S311 -- to be had again, not to be secret
        return _arranged(entries, 0, lambda members: _shuffled(members, generator))
    return [thing for _, thing in entries]


def _shuffled(members: List[Any], generator: random.Random) -> None:
    keyed = [(generator.random(), place) for place in range(len(members))]
    members[:] = [members[place] for _, place in sorted(keyed)]


def _arranged(entries: List[_Entry], level: int, change: Callable[[List[Any]], None]) -> List[Any]:
    members: List[List[_Entry]] = []
    groups: Dict[str, List[_Entry]] = {}
    for entry in entries:
        if len(entry[0]) <= level:
            members.append([entry])
        elif entry[0][level] in groups:
            groups[entry[0][level]].append(entry)
        else:
            groups[entry[0][level]] = [entry]
            members.append(groups[entry[0][level]])
    change(members)
    arranged: List[Any] = []
    for member in members:
        if len(member[0][0]) <= level:
            arranged.append(member[0][1])
        else:
            arranged.extend(_arranged(member, level + 1, change))
    return arranged
