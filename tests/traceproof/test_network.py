from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceproof.network import Network, open_network
from traceproof.recorder.store import Store
from traceproof.recorder.task import Task
from traceproof.settings import Settings

Opening = Callable[..., Network]


class NoSink:
    """A sink that is told nothing in these tests."""

    def request_started(self, exchange: Any) -> None: ...
    def request_ended(self, exchange: Any) -> None: ...
    def response_started(self, exchange: Any) -> None: ...
    def ended(self, exchange: Any) -> None: ...
    def refuses(self) -> bool:
        return False


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opening]:
    """Open a network for a command; it is closed after the test."""
    networks: list[Network] = []

    def opened(*command: str, environment: dict[str, str] | None = None, **more: Any) -> Network:
        settings = Settings(
            command or ("claude",),
            tmp_path,
            environment or {},
            Store(tmp_path / "store"),
            Task(),
            **more,
        )
        networks.append(open_network(settings, NoSink()))
        return networks[-1]

    yield opened
    for network in reversed(networks):  # each puts back the logging that it found
        network.server.stop(0)


def connects(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), 5):
        return True


def test_forward_the_child_has_a_proxy_and_trusts_our_authority(
    opened: Opening, tmp_path: Path
) -> None:
    variables = opened().variables

    assert connects(variables["HTTPS_PROXY"])
    authority = (tmp_path / "store" / "ca" / "traceproof-ca-cert.pem").read_text().strip()
    assert authority in Path(variables["NODE_EXTRA_CA_CERTS"]).read_text()
    assert authority in Path(variables["SSL_CERT_FILE"]).read_text()
    assert (tmp_path / "store" / "ca" / "traceproof-ca.pem").stat().st_mode & 0o777 == 0o600


def test_forward_the_base_url_stays_the_users_own(opened: Opening) -> None:
    assert "ANTHROPIC_BASE_URL" not in opened().variables


def test_reverse_the_child_has_base_urls_and_no_proxy(opened: Opening) -> None:
    variables = opened(mode="reverse").variables

    assert set(variables) == {"ANTHROPIC_BASE_URL"}
    assert connects(variables["ANTHROPIC_BASE_URL"])


def test_reverse_each_provider_has_its_own_with_the_suffix_that_clients_expect(
    opened: Opening,
) -> None:
    variables = opened("aider", mode="reverse").variables

    assert connects(variables["ANTHROPIC_API_BASE"])
    assert variables["OPENAI_API_BASE"].endswith("/v1")
    assert variables["OPENAI_API_BASE"] != variables["ANTHROPIC_API_BASE"] + "/v1"


def test_reverse_each_path_of_a_gateway_has_its_own(opened: Opening) -> None:
    gateway = "http://gateway.example:8080"
    environment = {
        "OPENAI_API_BASE": f"{gateway}/openai/v1",
        "ANTHROPIC_API_BASE": f"{gateway}/anthropic",
        "OPENAI_BASE_URL": "https://gateway.example:8080/openai/v1",
    }
    variables = opened("aider", mode="reverse", environment=environment).variables

    bases = [variables[name] for name in environment]
    assert len(set(bases)) == 3
    assert all(map(connects, bases))
    assert [base.count("/") for base in bases] == [2, 2, 2]


def test_reverse_a_base_url_of_the_users_own_gets_no_suffix(opened: Opening) -> None:
    environment = {"OPENAI_API_BASE": "https://api.openai.com"}
    variables = opened("aider", mode="reverse", environment=environment).variables

    assert not variables["OPENAI_API_BASE"].endswith("/v1")
    assert variables["OPENAI_BASE_URL"].endswith("/v1")


def test_reverse_calls_are_kept_away_from_a_proxy_of_the_environment(opened: Opening) -> None:
    environment = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "corp"}
    variables = opened(mode="reverse", environment=environment).variables

    assert variables["NO_PROXY"] == variables["no_proxy"] == "corp,localhost,127.0.0.1,::1"


def test_reverse_ports_that_there_are_not_so_many_of_are_told(opened: Opening) -> None:
    with pytest.raises(ValueError, match="port 65535 is too high"):
        opened("aider", mode="reverse", port=65535)


def test_a_proxy_that_is_not_used_is_noted(opened: Opening) -> None:
    environment = {"ALL_PROXY": "socks5://x:1", "HTTPS_PROXY": "http://127.0.0.1:9"}

    assert opened(environment={}).notes == ()
    assert [note.partition(":")[0] for note in opened(environment=environment).notes] == [
        "ALL_PROXY"
    ]


def test_two_at_once_have_ports_and_an_authority_of_their_store(opened: Opening) -> None:
    one, other = opened().variables, opened().variables

    assert one["HTTPS_PROXY"] != other["HTTPS_PROXY"]
    assert one["SSL_CERT_FILE"] == other["SSL_CERT_FILE"]


def test_the_port_may_be_chosen(opened: Opening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert opened(port=port).variables["HTTPS_PROXY"] == f"http://127.0.0.1:{port}"


def test_a_port_that_is_taken_is_told(opened: Opening) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="cannot listen on "),
    ):
        opened(port=taken.getsockname()[1])


def test_a_base_url_of_the_users_own_is_read_too(opened: Opening) -> None:
    """So it must not be kept away from us by NO_PROXY."""
    network = opened(environment={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "NO_PROXY": "corp"})

    assert "127.0.0.1" not in network.variables["NO_PROXY"].split(",")
    assert "corp" in network.variables["NO_PROXY"].split(",")


@pytest.mark.parametrize(
    "environment", [{"HTTPS_PROXY": "socks5://x:1"}, {"HTTPS_PROXY": "http://user:pw@:1"}]
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    opened: Opening, environment: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY") as raised:
        opened(environment=environment)

    assert "pw" not in str(raised.value)


def test_the_command_line_is_the_users_unless_the_agent_is_redirected_by_it(
    opened: Opening, tmp_path: Path
) -> None:
    assert opened("claude", "-p", mode="reverse").command == ("claude", "-p")
    environment = {"HOME": str(tmp_path)}
    assert opened("codex", "exec", environment=environment).command == ("codex", "exec")

    network = opened("codex", "exec", environment=environment, mode="reverse")

    program, option, setting, rest = network.command
    assert (program, option, rest) == ("codex", "-c", "exec")
    name, _, value = setting.partition("=")
    assert name == "openai_base_url"
    assert value.strip('"').endswith("/v1")
    assert connects(value.strip('"'))
    assert network.variables == {}
