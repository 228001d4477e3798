"""The deployed shape: a session through the team's proxy is seen in Phoenix, and gets a verdict."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.deployed import Deployed, phoenix, reaching_out, until
from traceproof.demo.script import PROMPT
from traceproof.sandbox.environments import indexes

if TYPE_CHECKING:
    from traceproof.sandbox.docker.sandbox import DockerSandbox

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]  # Phoenix alone is 850 MB

OURS = ("proxy", "push", "verify", "phoenix")
AGENT = (sys.executable, "-P", "-m", "traceproof.demo.agent", PROMPT)
SOCKET = "/var/run/docker.sock"
MODEL = """\
import threading
from traceproof.demo.script import script
from traceproof.proxy.testing import ScriptedModel

with ScriptedModel(script(), port=9000):
    threading.Event().wait()
"""
SOON = {"interval": "2s"}
MORE: dict[str, Any] = {
    "services": {
        "proxy": {
            "command": ["--listen", "0.0.0.0:8080", "--idle", "0.05",
                        "--route", "api.anthropic.com=http://127.0.0.1:9000"],
            "healthcheck": SOON,
        },
        "model": {
            "image": "${IMAGE}",
            "entrypoint": ["python3", "-c", MODEL],
            "network_mode": "service:proxy",
            "healthcheck": {"disable": True},
            "init": True,
        },
        "push": {"healthcheck": SOON},
        "verify": {
            "command": ["--every", "1s", "--", "--max-flake-rate", "0.26", "--axes", "order"],
            "healthcheck": SOON,
        },
        "phoenix": {"healthcheck": SOON},
    }
}  # fmt: skip


class Done(NamedTuple):
    """What came of it."""

    deployed: Deployed
    trace: str
    commit: str
    verdict: dict[str, Any]


def git(folder: Path, *words: str) -> bytes:
    settings = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    return subprocess.run(
        ["git", *settings, *words], cwd=folder, check=True, capture_output=True
    ).stdout


def archive(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, ".")
    return packed.getvalue()


def certificates(deployed: Deployed, folder: Path) -> Path:
    """Fetch the proxy's certificate, once it answers."""

    def fetched() -> bytes:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{deployed.port}/ca.pem", timeout=5
            ) as at:
                content: bytes = at.read()
                return content
        except OSError:
            return b""

    path = folder / "ca.pem"
    path.write_bytes(until("the proxy answers", fetched))
    return path


def traces(deployed: Deployed) -> list[str]:
    """The names of the closed traces with model calls."""
    listed = json.loads(deployed.run("traceproof", "ls", "--json"))
    return [Path(row["path"]).name for row in listed if row["closed"] and row["calls"]]


def spans(deployed: Deployed) -> list[dict[str, Any]]:
    """What Phoenix has in our project."""
    url = f"http://127.0.0.1:{deployed.phoenix_port}/v1/projects/traceproof/spans?limit=1000"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]
            return found
    except OSError:
        return []


def wait_until_well(deployed: Deployed, service: str) -> None:
    until(f"{service} is well", lambda: deployed.health(service) == "healthy", 60)


@pytest.fixture(scope="module")
def deployed(
    engine: DockerSandbox, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    client = engine.client
    reaching = reaching_out(client, base)
    own = {
        "BASE": reaching,
        "IMAGE": "traceproof-test/deployed",
        "PHOENIX_IMAGE": phoenix(client, reaching),
        "DOCKER_GID": str(Path(SOCKET).stat().st_gid),
    }
    found = indexes.variables(os.environ, Path.home())
    own |= {name: found[name] for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL") if name in found}
    with Deployed(client, folder, MORE, **own) as deployed:
        deployed.compose("build", "proxy")
        yield deployed


@pytest.fixture(scope="module")
def done(
    deployed: Deployed,
    tmp_path_factory: pytest.TempPathFactory,
    agent_env: Callable[[Path], dict[str, str]],
) -> Done:
    """A user's agent mends a bug through the proxy; the patch is handed in."""
    folder = tmp_path_factory.mktemp("user")
    told = json.loads(
        deployed.compose("run", "--rm", "-T", "proxy", "users", "add", "ada", "--json")
    )
    deployed.compose("up", "--detach")
    work = folder / "intervals"
    work.mkdir()
    for name in ("intervals.py", "test_intervals.py"):
        source = Path(__file__).parents[2] / "traceproof" / "demo" / "repository" / name
        (work / name).write_bytes(source.read_bytes())
    git(work, "init", "-q")
    git(work, "add", ".")
    git(work, "commit", "-qm", "Merge intervals")
    repository, commit = archive(work), git(work, "rev-parse", "HEAD").decode().strip()
    variables = {
        "HTTPS_PROXY": f"http://ada:{told['token']}@127.0.0.1:{deployed.port}",
        "SSL_CERT_FILE": str(certificates(deployed, folder)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = subprocess.run(
        AGENT, cwd=work, env=agent_env(folder) | variables, capture_output=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (trace,) = until("the trace is closed", lambda: traces(deployed))
    stem = trace.removesuffix(".otlp.jsonl.zst")
    deployed.run("mkdir", "-p", "repositories/intervals")
    deployed.run("tar", "-xC", "repositories/intervals", "--no-same-owner", given=repository)
    subject = (
        f'repo = "/store/repositories/intervals"\ncommit = "{commit}"\npatch = "{stem}.patch"\n'
    )
    subject += 'tests = "python3 -m unittest -q"\n'
    deployed.run("tee", f"traces/{stem}.patch", given=git(work, "diff"))
    deployed.run("tee", f"traces/{stem}.subject.toml", given=subject.encode())

    def verdict() -> Any:
        path = f"traces/{stem}.verdict.json"
        return deployed.compose("exec", "-T", "proxy", "cat", path, check=False)

    return Done(deployed, trace, commit, json.loads(until("the verdict is there", verdict)))


def test_the_session_has_a_verdict_in_the_store(done: Done) -> None:
    verdict = done.verdict
    assert (verdict["verified"], verdict["class"], verdict["outcome"]) == (
        True, "steady", "resolved",
    )  # fmt: skip
    assert verdict["fail_to_pass"]
    assert verdict["subject"]["trace"] == done.trace
    assert verdict["subject"]["commit"] == done.commit
    assert verdict["environment"]["isolation"] == "container"


def test_the_session_is_in_phoenix(done: Done) -> None:
    found = until("Phoenix has the trace", lambda: spans(done.deployed))

    kinds = [span["span_kind"] for span in found]
    assert kinds.count("LLM") == 5
    assert {span["name"] for span in found} >= {"invoke_agent generic"} or "AGENT" in kinds


def test_everything_is_well(done: Done) -> None:
    for service in OURS:
        wait_until_well(done.deployed, service)


@pytest.mark.parametrize("service", OURS)
def test_a_service_has_no_rights_and_its_limits(done: Done, service: str) -> None:
    found = done.deployed.container(service)
    config, host = found["Config"], found["HostConfig"]

    assert config["User"] in ("10001", "65532")
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (True, ["ALL"], False)
    assert host["CapAdd"] in (None, [])
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] == 512
    binds = [mount["Source"] for mount in found["Mounts"] if mount["Type"] == "bind"]
    assert binds == ([SOCKET] if service == "verify" else [])


def test_an_agent_reaches_neither_phoenix_nor_the_worker_through_the_proxy(done: Done) -> None:
    def networks(service: str) -> set[str]:
        return set(done.deployed.container(service)["NetworkSettings"]["Networks"])

    assert not networks("proxy") & (networks("phoenix") | networks("push") | networks("verify"))


def test_they_end_on_a_signal_and_go_on_where_they_were(done: Done) -> None:
    for service in ("push", "verify"):
        done.deployed.compose("stop", "--timeout", "60", service)
        assert done.deployed.container(service)["State"]["ExitCode"] == 0
    done.deployed.compose("start", "push", "verify")
    for service in ("push", "verify"):
        wait_until_well(done.deployed, service)
        told = done.deployed.compose("logs", "--no-color", service).decode()
        assert told.count(f"{done.trace}: done") == 1
