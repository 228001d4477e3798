"""Which hosts are model APIs, and so are decrypted; every other host is tunnelled unread.

Pure functions on names: nothing here resolves, dials or reads a certificate.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

MODEL_HOSTS = (
    "api.anthropic.com",
    "api.openai.com",
    "*.api.openai.com",
    "chatgpt.com",
    "generativelanguage.googleapis.com",
    "cloudcode-pa.googleapis.com",
    "aiplatform.googleapis.com",
    "*-aiplatform.googleapis.com",
    "aiplatform.*.rep.googleapis.com",
    "bedrock-runtime.*.amazonaws.com",
    "bedrock-runtime-fips.*.amazonaws.com",
    "*.openai.azure.com",
    "*.services.ai.azure.com",
    "models.inference.ai.azure.com",
    "models.github.ai",
    "api.githubcopilot.com",
    "api.*.githubcopilot.com",
    "openrouter.ai",
    "ai-gateway.vercel.sh",
    "router.huggingface.co",
    "api.mistral.ai",
    "codestral.mistral.ai",
    "api.deepseek.com",
    "api.x.ai",
    "api.groq.com",
    "api.cerebras.ai",
    "api.cohere.com",
    "api.together.xyz",
    "api.fireworks.ai",
    "api.deepinfra.com",
    "api.perplexity.ai",
    "api.moonshot.ai",
    "api.moonshot.cn",
    "api.minimax.io",
    "api.z.ai",
    "open.bigmodel.cn",
    "dashscope.aliyuncs.com",
    "dashscope-intl.aliyuncs.com",
    "integrate.api.nvidia.com",
)
"""Patterns; a leading `*.` stands for any subdomain, another `*` for part of one label."""

_PATTERN = re.compile(r"(\*\.)?[a-z0-9_*-]+(\.[a-z0-9_*-]+)*")


@dataclass(frozen=True)
class Hosts:
    """The hosts to decrypt: the known model APIs and those the user named."""

    extra: tuple[str, ...] = ()
    """Patterns like those of `MODEL_HOSTS`, or IP addresses."""

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """All patterns, the known model APIs' first."""
        return MODEL_HOSTS + self.extra

    def decrypts(self, host: str) -> bool:
        """Tell whether traffic to a host is to be read; case, a last dot and brackets are ignored.

        >>> Hosts().decrypts("eu.api.openai.com"), Hosts().decrypts("github.com")
        (True, False)
        """
        return bool(self._regex.fullmatch(plain(host)))

    def bypassed_by(self, entry: str) -> bool:
        """Tell whether a NO_PROXY entry would keep any host we decrypt away from a proxy.

        >>> Hosts().bypassed_by(".openai.com"), Hosts().bypassed_by("corp.example")
        (True, False)
        """
        if entry == "*":
            return True
        return any(_overlaps(entry, pattern) for pattern in self.patterns)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("|".join(_translate(pattern) for pattern in self.patterns))


def parse_host(text: str) -> str:
    """Check one `--host` and return it normalised.

    Raises:
        ValueError: The text is a URL, has a port, or is no host name or pattern.
    """
    host = plain(text)
    if not (_PATTERN.fullmatch(host) and host.strip("*.")) and not is_address(host):
        raise ValueError(
            f"--host takes a host name such as gateway.example.com or *.example.com, not {text!r}"
        )
    return host


def select(named: Iterable[str] = (), routed: Iterable[str] = ()) -> Hosts:
    """Return the hosts to decrypt, given those of `--host` and those of `--route`."""
    extra = dict.fromkeys([*map(parse_host, named), *map(plain, routed)])
    return Hosts(tuple(extra))


def plain(host: str) -> str:
    """Return a host as it is compared: lower case, without brackets or a last dot."""
    return host.strip().strip("[]").rstrip(".").lower()


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(plain(host))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by name or address; nothing is resolved."""
    name = plain(host)
    if is_address(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def matches_no_proxy(entry: str, host: str, port: int) -> bool:
    """Tell whether a NO_PROXY entry (`*`, a name, `.suffix`, an address, a network) names a host.

    A name also stands for its subdomains; `name:port` for that port alone.
    """
    if entry == "*":
        return True
    name, entry_port = _split_port(entry)
    if entry_port and entry_port != str(port):
        return False
    host = plain(host)
    if is_address(host):
        return _network_has(name, host)
    return host == name or host.endswith("." + name)


def _network_has(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    entry = entry.strip().lower()
    name, port = entry, ""
    if entry.startswith("[") or entry.count(":") == 1:
        head, _, tail = entry.rpartition(":")
        if tail.isdigit():
            name, port = head, tail
    return plain(name.removeprefix("*").lstrip(".")), port


def _translate(pattern: str) -> str:
    subdomain = "(?:[^.]+[.])+" if pattern.startswith("*.") else ""
    rest = pattern.removeprefix("*.")
    return subdomain + re.escape(rest).replace(r"\*", "[^.]+")


def _overlaps(entry: str, pattern: str) -> bool:
    """Tell whether some host matches both a NO_PROXY entry and one of our patterns."""
    name, _ = _split_port(entry)
    if is_address(pattern):
        return _network_has(name, pattern)
    if not name:
        return False
    subdomains = pattern.startswith("*.")
    labels = pattern.removeprefix("*.").split(".")[::-1]
    wanted = name.split(".")[::-1]
    if not all(map(fnmatchcase, wanted, labels)):
        return False
    return subdomains or len(wanted) <= len(labels)
