from __future__ import annotations

from pathlib import Path

from traceproof.sandbox.environments.indexes import variables


def test_what_pip_is_set_to_goes_to_uv_and_pip(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("""
[global]
index-url = https://me:pw@index.test/simple
extra-index-url =
    file:///opt/wheels
    https://more.test/simple
""")

    assert variables({}, tmp_path) == {
        "PIP_INDEX_URL": "https://me:pw@index.test/simple",
        "UV_DEFAULT_INDEX": "https://me:pw@index.test/simple",
        "PIP_EXTRA_INDEX_URL": "https://more.test/simple",
        "UV_INDEX": "https://more.test/simple",
    }


def test_a_variable_comes_before_the_files_and_uvs_own_before_that(tmp_path: Path) -> None:
    given = {"PIP_INDEX_URL": "https://a.test/", "PIP_CONFIG_FILE": "/nonexistent"}

    assert variables(given, tmp_path)["UV_DEFAULT_INDEX"] == "https://a.test/"
    given["UV_DEFAULT_INDEX"] = "https://b.test/"
    assert variables(given, tmp_path)["UV_DEFAULT_INDEX"] == "https://b.test/"
