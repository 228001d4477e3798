from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from traceproof.recorder.workspace.folders import MOST_SHALLOW, Folder

NAMES = st.sampled_from(["a", "b", "c", "d"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map(tuple), max_size=40)


def planted(paths: list[tuple[str, ...]]) -> Folder:
    """Make folders with a file `f` in each that is named."""
    root = Folder()
    for path in paths:
        at = root
        for name in path:
            at = at.folders.setdefault(name, Folder())
        at.files["f"] = None
    return root


def files(folder: Folder, path: str) -> list[str]:
    return [inner + name for at, inner in folder.below(path) for name in at.files]


@given(PATHS, st.integers(1, 4))
def test_each_file_is_in_one_part_whatever_the_workspace(
    paths: list[tuple[str, ...]], most: int
) -> None:
    root = planted(paths)

    parts = root.parts(most)

    found = Counter[str]()
    for path in parts.shallow:
        folder = root.find(path)
        assert folder is not None
        found.update(path + name for name in folder.files)
    for path in (path for group in parts.deep for path in group):
        folder = root.find(path)
        assert folder is not None
        found.update(files(folder, path))
    assert found == Counter(files(root, ""))
    assert len(parts.deep) <= most
    assert len(parts.shallow) <= MOST_SHALLOW + 1


def test_one_large_folder_is_divided_too() -> None:
    root = planted([("all", f"part{number}") for number in range(100)])

    shallow, deep = root.parts(4)

    assert shallow == ["", "all/"]
    assert sorted(map(len, deep)) == [25, 25, 25, 25]


def test_what_is_left_out_is_told_from_the_root_on_and_so_many_at_most() -> None:
    root = planted([("a", "b")])
    for path, name in (("a/b/", "deep/"), ("a/", "mid/"), ("", "top/"), ("", "file")):
        folder = root.find(path)
        assert folder is not None
        folder.hidden.add(name)

    assert root.hidden_folders(9) == ["top/", "a/mid/", "a/b/deep/"]
    assert root.hidden_folders(2) == ["top/", "a/mid/"]


def test_a_path_that_is_not_known_leads_nowhere() -> None:
    root = planted([("a", "b")])

    assert root.find("") is root
    assert root.find("a/b/") is root.folders["a"].folders["b"]
    assert root.find("a/c/") is None
    assert root.find("x/y/z/") is None
