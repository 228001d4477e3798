from __future__ import annotations

from pathlib import Path

import pytest

from traceproof.sandbox.errors import SandboxError
from traceproof.sandbox.local import view
from traceproof.sandbox.protocol import Image


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A Python far away, that a venv leads to over two links."""
    real = tmp_path / "pythons" / "3.11.9"
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "python3.11").touch()
    (real / "lib" / "python3.11").mkdir(parents=True)
    (real / "lib" / "python3.11" / "os.py").touch()
    (tmp_path / "pythons" / "3.11").symlink_to(real)
    venv = tmp_path / "image" / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python3").symlink_to(tmp_path / "pythons" / "3.11" / "bin" / "python3.11")
    (venv / "python").symlink_to("python3")
    return tmp_path


def image(machine: Path) -> Image:
    path = f"{machine}/image/venv/bin:/usr/bin:{machine}/none/bin"
    folder = f"{machine}/image"
    return Image(id=folder, workspace=f"{folder}/workspace", environment={"PATH": path})


def test_an_image_and_its_pythons_are_to_be_seen(machine: Path) -> None:
    seen = view.of(image(machine), machine, network=False, another_user=False)

    assert set(seen.reveal) == {
        f"{machine}/image", f"{machine}/pythons/3.11", f"{machine}/pythons/3.11.9",
    }  # fmt: skip
    assert "/tmp" in seen.covers
    assert any(Path.home().is_relative_to(cover) for cover in seen.covers)


def test_what_is_below_a_cover_is_none_of_its_own(machine: Path) -> None:
    (machine / "pythons").chmod(0o700)

    seen = view.of(image(machine), machine, network=False, another_user=True)

    assert f"{machine}/pythons" not in seen.covers
    assert f"{machine}/pythons/3.11.9" in seen.reveal


def test_closed_folders_are_named(machine: Path) -> None:
    (machine / "pythons").chmod(0o700)

    with pytest.raises(SandboxError, match="is closed to the user that tests run as"):
        view.check_open([f"{machine}/pythons/3.11.9"])
    view.check_open(["/usr/bin"])


def test_links_in_a_circle_end(machine: Path) -> None:
    (machine / "image" / "venv" / "bin" / "python4").symlink_to("python4")

    view.of(image(machine), machine, network=True, another_user=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with programs in it, on this process's PATH."""
    home = tmp_path / "home" / "me"
    for name in (".ssh", "bin", ".local/bin", ".local/lib", ".local/share/keys"):
        (home / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{home}/bin:{home}/.local/bin:/usr/bin")
    return home


def revealed(machine: Path, path: str) -> set[str]:
    it = Image(id=f"{machine}/image", workspace="/w", environment={"PATH": path})
    seen = view.of(it, machine, network=False, another_user=False)
    return {one.removeprefix(f"{machine}/") for one in seen.reveal}


def test_programs_at_home_are_no_reason_to_show_a_home(machine: Path, home: Path) -> None:
    (home / "bin" / "python3").symlink_to(machine / "pythons" / "3.11" / "bin" / "python3.11")

    seen = revealed(machine, f"{home}/bin:{home}/.local/bin:/usr/bin")

    assert seen == {
        "home/me/.local/bin", "home/me/.local/lib", "home/me/bin", "image", "pythons/3.11",
        "pythons/3.11.9",
    }  # fmt: skip


def test_a_python_that_was_installed_into_a_home_shows_no_more_of_it(
    machine: Path, home: Path
) -> None:
    (home / ".local" / "bin" / "python3").touch()
    (home / ".local" / "lib" / "python3.11").mkdir()
    (home / ".local" / "lib" / "python3.11" / "os.py").touch()

    seen = revealed(machine, f"{home}/.local/bin")

    assert seen == {"home/me/.local/bin", "home/me/.local/lib", "image"}


def test_what_a_project_puts_on_the_path_is_not_shown_for_that(machine: Path, home: Path) -> None:
    assert revealed(machine, f"{home}/.ssh/x:{home}/.ssh:/usr/bin") == {"image"}
