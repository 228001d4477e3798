from __future__ import annotations

import pytest

from traceproof.replay.steps.network import reach


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("curl https://example.org", "curl"),
        ("cd x && wget -q example.org/a | head", "wget"),
        ("pip install -r requirements.txt", "pip install"),
        ("python3.11 -m pip install six", "pip install"),
        (".venv/bin/pip3 install six", "pip install"),
        ("uv pip install six", "uv pip install"),
        ("uv sync", "uv sync"),
        ("npm ci", "npm ci"),
        ("npx eslint .", "npx"),
        ("git clone https://github.com/a/b", "git clone"),
        ("git -C sub fetch origin", "git fetch"),
        ("git push", "git push"),
        ("git submodule update --init", "git submodule update"),
        ("sudo apt-get install -y jq", "apt install"),
        ("env A=1 timeout 5 curl example.org", "curl"),
        ("bash -c 'cd a; git pull'", "git pull"),
        ("x=$(curl -s example.org)", "curl"),
        ("for i in 1 2; do ssh host true; done", "ssh"),
        ("go mod download", "go mod download"),
        ("rsync -a host:/x .", "rsync"),
    ],
)
def test_what_needs_a_network(script: str, words: str) -> None:
    assert reach(script) == words


@pytest.mark.parametrize(
    "script",
    [
        "ls", "git status && git diff && git log", "git commit -m 'fetch and pull'",
        "echo pip install six", "grep -rn curl .", "curl -s http://localhost:8000/x",
        "curl 127.0.0.1:8000/a.json", "pip list; pip --version", "pip install --no-index -e .",
        "git clone ../other copy", "npm test", "npm run build", "python3 -m http.server 8000",
        "cargo build --offline", "rsync -a a/ b/", "curl --version", "cat <<'E'\ncurl x.org\nE",
    ],
)  # fmt: skip
def test_what_needs_none(script: str) -> None:
    assert not reach(script)
