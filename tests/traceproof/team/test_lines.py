from __future__ import annotations

import subprocess
from pathlib import Path

from traceproof.proxy.hosts import Hosts
from traceproof.proxy.trust import TrustFiles
from traceproof.team import lines
from traceproof.team.settings import Address

AT = Address("build-1", 8080)


def after(text: str, name: str) -> str:
    """Return what a variable is for a shell that was given the lines."""
    script = f'curl() {{ :; }}; mkdir() {{ :; }}\n{text}\nprintf %s "${name}"'
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"HOME": "/home/a b"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_on_another_machine_the_certificates_are_fetched() -> None:
    paste = lines.forward(AT, "ada:tpx_1", Hosts(), {}, None)

    assert paste.fetch == {
        lines.CA: "http://build-1:8080/ca.pem",
        lines.BUNDLE: "http://build-1:8080/bundle.pem",
    }
    assert after(paste.text, "HTTPS_PROXY") == "http://ada:tpx_1@build-1:8080"
    assert after(paste.text, "NODE_EXTRA_CA_CERTS") == "/home/a b/.traceproof/ca.pem"
    bundle = "/home/a b/.traceproof/bundle.pem"
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CODEX_CA_CERTIFICATE"):
        assert after(paste.text, name) == bundle
    assert after(paste.text, "NO_PROXY") == "localhost,127.0.0.1,::1"


def test_on_this_machine_they_are_in_the_store() -> None:
    trust = TrustFiles(Path("/s/roots.pem"), Path("/s/b 1.pem"), Path("/s/x.pem"))
    environ = {"NO_PROXY": "corp.example,api.openai.com", "ALL_PROXY": "socks5://x"}
    paste = lines.forward(Address("127.0.0.1", 1), "", Hosts(), environ, trust)

    assert paste.fetch == {}
    assert after(paste.text, "HTTPS_PROXY") == "http://127.0.0.1:1"
    assert after(paste.text, "ALL_PROXY") == "http://127.0.0.1:1"
    assert after(paste.text, "SSL_CERT_FILE") == "/s/b 1.pem"
    assert after(paste.text, "NO_PROXY") == "corp.example,localhost,127.0.0.1,::1"


def test_in_reverse_mode_base_urls_carry_the_user() -> None:
    origins = lines.base_urls()
    bases = {origin: f"http://build-1:{9000 + n}" for n, origin in enumerate(origins.values())}

    paste = lines.reverse(bases, origins, "NAME:TOKEN")

    by_host = {base.variable: bases[at] for base, at in origins.items()}
    variables = paste.variables
    assert variables["ANTHROPIC_BASE_URL"] == by_host["ANTHROPIC_BASE_URL"] + "/@NAME:TOKEN"
    assert variables["OPENAI_BASE_URL"] == by_host["OPENAI_BASE_URL"] + "/@NAME:TOKEN/v1"
    plain = lines.reverse(bases, origins, "").variables
    assert plain["OPENAI_BASE_URL"] == by_host["OPENAI_BASE_URL"] + "/v1"
