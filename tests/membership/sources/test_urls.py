"""URLs of sources: every part is checked, and no secret is shown."""

from __future__ import annotations

import pytest

import rvh
from rvh.membership.sources import open_source, without_secrets
from rvh.membership.sources.urls import Parts, count, flag, parse, seconds, text

FORM = "x://[USER:PASSWORD@]HOST[:PORT]/KEY"
ALLOWED = {"key": text, "poll": seconds, "db": count, "tls": flag}


def parts(url: str, **options: object) -> Parts:
    return parse(url, FORM, **{"port": 80, "allowed": ALLOWED, "login": True, **options})  # type: ignore[arg-type]


def test_all_parts() -> None:
    found = parts("x://me:a%3Ab@h:81,[::1],i/p%2Fq/r?key=a+b%26&poll=.5&db=3".replace("=.5", "=0.5")
                  + "&tls=true", several=True)  # fmt: skip
    assert found == Parts(
        "x",
        (("h", 81), ("::1", 80), ("i", 80)),
        "/p%2Fq/r",
        {"key": "a+b&", "poll": 0.5, "db": 3, "tls": True},
        "me",
        "a:b",
    )
    assert found.segments == ("p/q", "r")
    assert (found.host, found.port) == ("h", 81)


def test_what_may_be_left_away() -> None:
    assert parts("x://h") == Parts("x", (("h", 80),), "", {})
    assert parts("x://h/", port=None) == Parts("x", (("h", 0),), "/", {})
    assert parts("x://h/").segments == ()
    assert parts("x://:p@h")[-2:] == (None, "p")


def test_parameters_behind_the_query_of_the_server() -> None:
    found = parts("x://h/p?q=1&r=2#poll=5", mark="#")
    assert (found.path, found.query) == ("/p?q=1&r=2", {"poll": 5.0})
    assert parts("x://h?q=1", mark="#").path == "?q=1"
    assert parts("x://h/p", mark="#").path == "/p"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("x:h", "it is not a URL"),
        ("x://h/a#b", "a # is written %23"),
        ("x://", "a host is missing"),
        ("x://:80/", "a host is missing"),
        ("x://h:0", "the port is '0': a port is from 1 to 65535"),
        ("x://h:65536", "the port is '65536'"),
        ("x://h:", "the port is ''"),
        ("x://h:٣", "the port is '٣'"),
        ("x://::1", "IPv6 addresses need brackets"),
        ("x://[::1", "IPv6 addresses need brackets"),
        ("x://a,b", "it names one host"),
        ("x://h?poll=fast", "the parameter poll is 'fast': a number of seconds above 0"),
        ("x://h?poll=0", "the parameter poll is '0'"),
        ("x://h?poll=nan", "the parameter poll is 'nan'"),
        ("x://h?db=-1", "the parameter db is '-1': a whole number"),
        ("x://h?tls=yes", "the parameter tls is 'yes': true or false"),
        ("x://h?key=", "the parameter key is empty"),
        ("x://h?key", "the parameter key has no value"),
        ("x://h?db=1&db=1", "the parameter db is given twice"),
        ("x://h?kee=1", "the parameter 'kee' is not known: there are key, poll, db, tls"),
    ],
)
def test_what_is_wrong(url: str, message: str) -> None:
    with pytest.raises(rvh.RVHError) as caught:
        parts(url)
    assert message in str(caught.value)
    assert str(caught.value).endswith(f"; its form is {FORM}")


def test_what_a_source_does_not_have() -> None:
    for url, options, message in [
        ("x://me:hidden@h", {"login": False}, "no place for a user or a password"),
        ("x://h:1", {"port": None}, "'h:1' has a port, and there is none here"),
        ("x://h", {"required": ["key"]}, "the parameter key is missing"),
        ("x://h?key=1", {"allowed": {}}, "'key' is not known: there are none"),
    ]:
        with pytest.raises(rvh.RVHError, match=message) as caught:
            parts(url, **options)  # type: ignore[arg-type]
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "x://me:hidden@h:99999/0",
        "x://me:hid?hidden@h:99999/0",
        "x://me:hid/hidden@h:99999/0",
        "x://hidden@h:99999/0",
        "x://h:99999/0?key=hidden",
        "x://h:99999/0#token=hidden",
        "x://me:12/hidden@h:99999/0?nothing=1",
        "x://m/e:hidden@h:99999/0?nothing=1",
        "x:/me:hidden@h/0",
        "x:me:hidden@h/0",
    ],
)
def test_no_secret_is_shown(url: str) -> None:
    with pytest.raises(rvh.RVHError) as caught:
        parts(url)
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "Redis://me:hidden@h/0",
        "redis:/me:hidden@h/0",
        "redis:me:hidden@h/0",
        "redis://:12/hidden@h/0",
        "redis://m/e:hidden@h/0",
        "https://h/nodes#token=hidden",
    ],
)
def test_no_secret_is_shown_of_what_is_nearly_a_source(url: str) -> None:
    with pytest.raises(rvh.RVHError) as caught:
        open_source(url)
    assert "hid" not in str(caught.value)


def test_what_is_no_secret_stays() -> None:
    for url in ("x://h:80/a@b", "x://[::1]:80/a@b", "x://h/a@b"):
        assert without_secrets(url) == url
