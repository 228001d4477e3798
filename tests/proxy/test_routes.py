from __future__ import annotations

import pytest

from traceproof.proxy.routes import Origin, parse_origin, parse_routes


@pytest.mark.parametrize(
    ("url", "origin", "text"),
    [
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080, ""), "http://127.0.0.1:8080"),
        ("https://GW.example/v1/", ("https", "gw.example", 443, "/v1"), "https://gw.example/v1"),
        ("api.anthropic.com", ("https", "api.anthropic.com", 443, ""), "https://api.anthropic.com"),
        ("http://[::1]:80/", ("http", "::1", 80, ""), "http://[::1]"),
    ],
)
def test_origins(url: str, origin: tuple[str, str, int, str], text: str) -> None:
    assert parse_origin(url) == origin
    assert str(parse_origin(url)) == text


def test_an_authority_leaves_the_usual_port_out() -> None:
    assert Origin("https", "a.example", 443).authority == "a.example"
    assert Origin("https", "::1", 80).authority == "[::1]:80"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "https://",
        "https://a?x",
        "https://a#x",
        "https://u@a",
        "https://a:x",
        "http://a:0",
    ],
)
def test_what_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected a URL such as"):
        parse_origin(url)


def test_routes() -> None:
    routes = parse_routes(["API.anthropic.com=http://127.0.0.1:1/a", "b.example=c.example"])

    assert routes == {
        "api.anthropic.com": Origin("http", "127.0.0.1", 1, "/a"),
        "b.example": Origin("https", "c.example", 443),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.example", "--route takes HOST=URL, not 'a.example'"),
        ("=http://a", "--route takes HOST=URL"),
        ("a.example=", "--route takes HOST=URL"),
        ("https://a=http://b", "--host takes a host name"),
        ("*.a.example=http://b", "--route takes one host, not the pattern"),
        ("a.example=ftp://b", "--route a.example: expected a URL"),
    ],
)
def test_what_is_no_route_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="--") as caught:
        parse_routes([text])

    assert str(caught.value).startswith(says)


def test_an_error_shows_no_password() -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse_routes(["a.example=https://user:hunter2@b.example"])

    assert "hunter2" not in str(caught.value)
    assert "b.example" in str(caught.value)
