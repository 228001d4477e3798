from __future__ import annotations

import os
from pathlib import Path

from traceproof.recorder.secret_tree import MOST_FILES, from_patch, from_tree

PATCH = b"""diff --git a/.env b/.env
index 1..2 100644
--- a/.env
+++ b/.env
@@ -1,2 +1,2 @@
 SERVICE_TOKEN=made-up-token-0
-STRIPE_SECRET_KEY=made-up-old-1
+STRIPE_SECRET_KEY=made-up-new-1
diff --git a/src/conf.py b/src/conf.py
--- a/src/conf.py
+++ b/src/conf.py
@@ -1 +1 @@
-API_TOKEN=not-a-credential-file
+x = 1
diff --git "a/\\303\\251/.npmrc" "b/\\303\\251/.npmrc"
--- "a/\\303\\251/.npmrc"
+++ "b/\\303\\251/.npmrc"
@@ -0,0 +1 @@
+//registry.example/:_authToken=made-up-npm-1
"""


def found(folder: Path) -> list[str]:
    return [secret.value for secret in from_tree(folder)]


def test_the_files_of_a_working_tree(tmp_path: Path) -> None:
    (tmp_path / "apps" / "web").mkdir(parents=True)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "apps" / "web" / ".env.local").write_text("A_TOKEN=made-up-token-2\n")
    (tmp_path / ".env").write_text("A_TOKEN=made-up-token-1\nDEBUG=true\nPORT=8080\n")
    (tmp_path / ".netrc").write_text("machine a.example login ada password made-up-pw-3\n")
    (tmp_path / "main.py").write_text("A_TOKEN=made-up-token-4\n")
    (tmp_path / "node_modules" / ".env").write_text("A_TOKEN=made-up-token-5\n")

    assert found(tmp_path) == ["made-up-token-1", "made-up-pw-3", "made-up-token-2"]


def test_private_keys_come_last(tmp_path: Path) -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{'a1B2' * 16}\n-----END PRIVATE KEY-----\n"
    (tmp_path / "id_rsa").write_text(key)
    (tmp_path / "prod.env").write_text("A_TOKEN=made-up-token-1\n")

    assert found(tmp_path) == ["made-up-token-1", "a1B2" * 16]


def test_links_pipes_and_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("A_TOKEN=made-up-token-1\n")
    (tmp_path / ".env").symlink_to("kept")
    (tmp_path / ".env.gone").symlink_to("nowhere")
    (tmp_path / ".env.round").symlink_to(".env.round")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / ".netrc").mkdir()
    os.mkfifo(tmp_path / ".npmrc")

    assert found(tmp_path) == ["made-up-token-1"]
    assert found(tmp_path / "no folder") == []


def test_the_search_ends(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 5):
        (tmp_path / f"{number:03}.env").write_text(f"A_TOKEN=made-up-token-{number:03}\n")

    assert len(found(tmp_path)) == MOST_FILES


def test_a_patch_shows_what_was_there_before_too() -> None:
    assert {secret.value for secret in from_patch(PATCH)} == {
        "made-up-token-0", "made-up-old-1", "made-up-new-1", "made-up-npm-1",
    }  # fmt: skip
    assert list(from_patch(b"")) == []
