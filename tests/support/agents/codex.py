"""Codex with an API key and with a login of ChatGPT, over a web socket and over HTTP.

With gpt-5.5 it has a tool for each thing; in code mode (its default model) there is one that takes
JavaScript, in which the others are functions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.stage import Stage
from support.variant import Command, Outcome, Variant
from traceproof.proxy.testing import Custom, Use, chatgpt
from traceproof.proxy.testing.parts import AnyPart

VERSION = "0.169.0"
DIRECT, CODE = "gpt-5.5", "gpt-6.1-sol"
OPTIONS = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json")
API_KEY, LOGIN = "CODEX_API_KEY", "CODEX_LOGIN"
NO_SOCKET = (426,)
ELSEWHERE = frozenset({"ab.chatgpt.com", "api.github.com", "github.com"})


def command(stage: Stage, prompt: str) -> Command:
    return [stage.agent("codex"), "exec", *OPTIONS, prompt]


def folder(stage: Stage) -> Path:
    path = Path(stage.env["HOME"], ".codex")
    path.mkdir(exist_ok=True)
    return path


def settings(stage: Stage, model: str) -> None:
    (folder(stage) / "config.toml").write_text(f'model = "{model}"\n')


def patch(path: Path, content: str) -> str:
    added = "".join(f"+{line}\n" for line in content.splitlines())
    return f"*** Begin Patch\n*** Add File: {path.name}\n{added}*** End Patch\n"


def write(path: Path, content: str) -> AnyPart:
    return Custom("apply_patch", patch(path, content))


def shell(line: str) -> AnyPart:
    return Use("exec_command", {"cmd": line})


def write_in_code(path: Path, content: str) -> AnyPart:
    return Custom("exec", f"text(await tools.apply_patch({json.dumps(patch(path, content))}));")


def shell_in_code(line: str) -> AnyPart:
    ran = f"await tools.exec_command({json.dumps({'cmd': line})})"
    return Custom("exec", f"const ran = {ran}; text(ran.output);")


def token(**claims: Any) -> str:
    """Return a JWT that nobody has signed."""
    parts = ({"alg": "none", "typ": "JWT"}, claims, "signature of nobody")
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return b".".join(coded).decode()


def log_in(stage: Stage) -> str:
    """Write a login of an account that there is not, and return its token."""
    claims = {"chatgpt_account_id": chatgpt.ACCOUNT, "chatgpt_plan_type": "pro"}
    made = token(email="ada@example.org", exp=4102444800, **{"https://api.openai.com/auth": claims})
    login = {
        "OPENAI_API_KEY": None,
        "tokens": {
            "id_token": made,
            "access_token": made,
            "refresh_token": "rt-fake-refresh-token-0123456789",
            "account_id": chatgpt.ACCOUNT,
        },
        "last_refresh": datetime.now(UTC).isoformat(),
    }
    (folder(stage) / "auth.json").write_text(json.dumps(login))
    return made


def variant(
    name: str,
    *,
    model: str = DIRECT,
    login: bool = False,
    upgrades: Sequence[int] = (101,),
    tools: tuple[Callable[[Path, str], AnyPart], Callable[[str], AnyPart]] = (write, shell),
) -> Variant:
    def prepare(stage: Stage) -> None:
        settings(stage, model)
        if login:
            stage.env[LOGIN] = log_in(stage)

    return Variant(
        name=name,
        agent="codex",
        version=VERSION,
        provider="openai",
        key=LOGIN if login else API_KEY,
        command=command,
        write=tools[0],
        shell=tools[1],
        env={} if login else {API_KEY: "sk-proj-fake-key-of-codex-0123456789"},
        prepare=prepare,
        model={"upgrades": upgrades},
        modes=("forward",) if login else ("forward", "reverse"),
        gzip="",  # it asks for no coding, and cannot read any
        outcomes={
            "error": Outcome(error="overloaded_error"),
            "drop": Outcome(error="stream_cut"),
            "overloaded": Outcome(state="refused", error="server_error"),
        },
        elsewhere=ELSEWHERE if login else ELSEWHERE | {"chatgpt.com"},
    )


VARIANTS = [
    variant("codex"),
    variant("codex-http", upgrades=NO_SOCKET),
    variant("codex-code", model=CODE, tools=(write_in_code, shell_in_code)),
    variant("codex-login", login=True),
    variant("codex-login-http", login=True, upgrades=NO_SOCKET),
]
