from __future__ import annotations

import pytest

from traceproof.export.endpoint import Endpoint, resolve

SECRET = "sk-push-0123456789"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:6006", "http://localhost:6006/v1/traces"),
        ("http://localhost:6006/", "http://localhost:6006/v1/traces"),
        ("http://localhost:6006/v1/traces", "http://localhost:6006/v1/traces"),
        ("https://x.example/api/otel?k=1", "https://x.example/api/otel/v1/traces?k=1"),
    ],
)
def test_the_path_for_traces_is_added_to_a_base(given: str, url: str) -> None:
    assert resolve(given, [], {}).url == url


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, "http://a:4318/v1/traces"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/in",
            },
            "http://b/in",
        ),
    ],
)
def test_the_environment_names_one_by_opentelemetrys_rules(
    environment: dict[str, str], url: str
) -> None:
    assert resolve("", [], environment).url == url


def test_an_option_wins_over_the_environment() -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}

    assert resolve("http://b", [], environment).url == "http://b/v1/traces"


def test_headers_of_options_win_and_names_are_lower_case() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20abc%3D,x-team=tools",
    }

    assert resolve("", ["X-Team=data", "x-empty="], environment).headers == {
        "authorization": "Basic abc=",
        "x-team": "data",
        "x-empty": "",
    }


def test_the_headers_of_one_server_go_to_no_other() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://theirs.example",
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
    }

    assert resolve("https://other.example", [], environment).headers == {}
    assert resolve("https://theirs.example:443/v1/traces", [], environment).headers == {
        "api-key": SECRET
    }


def test_headers_without_a_server_are_for_the_one_that_is_named() -> None:
    environment = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"api-key={SECRET}"}

    assert resolve("http://a", [], environment).headers == {"api-key": SECRET}


@pytest.mark.parametrize(
    ("url", "headers", "said"),
    [
        ("", [], "nowhere to push to: give --endpoint URL, or set OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("localhost:4318", [], "an endpoint is an address like"),
        ("ftp://a", [], "an endpoint is an address like"),
        ("http://a:99999", [], "an endpoint is an address like"),
        ("http://a", [SECRET], "--header is NAME=VALUE"),
        ("http://a", [f"a b={SECRET}"], "--header is NAME=VALUE"),
        ("http://a", [f"key={SECRET}\r\nx: y"], "--header key: a value is one line"),
        ("http://a", [f"key={SECRET}✓"], "--header key: a value is one line"),
        (f"http://ada:{SECRET}@[::1", [], "an endpoint is an address like"),
        (f"http://ada:{SECRET}@a b", [], "an endpoint is an address like"),
    ],
)
def test_what_is_wrong_is_said_and_no_value_repeated(
    url: str, headers: list[str], said: str
) -> None:
    with pytest.raises(ValueError, match="^" + said.replace("(", r"\(")) as raised:
        resolve(url, headers, {})

    assert SECRET not in str(raised.value)


def test_what_is_shown_or_kept_of_it_tells_no_secret() -> None:
    endpoint = Endpoint(f"https://ada:{SECRET}@x.example/v1/traces?key={SECRET}", {"k": SECRET})

    assert endpoint.shown == "https://x.example/v1/traces"
    assert SECRET not in repr(endpoint) + endpoint.key


def test_its_key_is_made_of_nothing_secret() -> None:
    first, second, elsewhere = (
        Endpoint(f"https://ada:{word}@x.example/v1/traces?api_key={word}&project={project}", {})
        for word, project in (("one-0123456789", "a"), ("two-0123456789", "a"), ("two", "b"))
    )

    assert first.key == second.key != elsewhere.key


def test_user_and_password_become_a_header_unless_one_is_given() -> None:
    url = "https://ada:p%40ss@x.example:8443"

    assert resolve(url, [], {}) == Endpoint(
        "https://x.example:8443/v1/traces", {"authorization": "Basic YWRhOnBAc3M="}
    )
    assert resolve(url, ["Authorization=Bearer x"], {}).headers == {"authorization": "Bearer x"}


@pytest.mark.parametrize(
    "headers", [f"Authorization: Bearer {SECRET}", f"a=b,{SECRET}", f"a b={SECRET}"]
)
def test_headers_of_the_environment_that_are_none_are_an_error(headers: str) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a",
        "OTEL_EXPORTER_OTLP_HEADERS": headers,
    }

    with pytest.raises(ValueError, match=r"^OTEL_EXPORTER_OTLP_HEADERS is name=value") as raised:
        resolve("", [], environment)

    assert SECRET not in str(raised.value)


def test_a_value_of_the_environment_is_one_line_too() -> None:
    environment = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"a={SECRET}%0d%0ax: y"}

    with pytest.raises(ValueError, match=r"^OTEL_\w+_TRACES_HEADERS a: a value is one") as raised:
        resolve("http://a", [], environment)

    assert SECRET not in str(raised.value)
