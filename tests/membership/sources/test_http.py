"""A web server as a source: nginx for all that is usual, and one that answers as it should not."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from pages import run_page
from servers import Server, free_port, needed, sockets, until
from web import Handler, answering

import rvh
from rvh.membership import Membership, NodeMeta, open_source, read_once
from rvh.membership.conformance import check_source

pytest.importorskip("httpx")
from rvh.membership.sources.http import HTTPSource

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{}}
http {{
  access_log access.log; types {{ application/json json; text/html html; }}
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;
  scgi_temp_path t;
  server {{ listen 127.0.0.1:{port}; root {root}; gzip on; gzip_types application/json;
            gzip_min_length 1; keepalive_timeout 60s; }}
  {more}
}}
"""


class Nginx(Server):
    """An nginx that gives out the files of a folder."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port, self.root = free_port(), folder / "root"
        self.root.mkdir()
        path = folder / "nginx.conf"
        path.write_text(CONFIGURATION.format(port=self.port, root=self.root, more=more))
        command = [needed("nginx"), "-p", str(folder), "-c", str(path), "-e", "stderr"]
        super().__init__(command, self.answers, folder)
        self.url = f"http://127.0.0.1:{self.port}/nodes.json"

    def answers(self) -> bool:
        with contextlib.suppress(urllib.error.HTTPError):  # which is an answer too
            urllib.request.urlopen(self.url, timeout=1).close()
        return True

    def put(self, document: object, when: float | None = None) -> None:
        """Replace the document as a whole; `when` is the time of its last change."""
        new = self.root / "new"
        new.write_bytes(document if isinstance(document, bytes) else msgspec.json.encode(document))
        if when is not None:
            os.utime(new, (when, when))
        new.replace(self.root / "nodes.json")

    def answered(self, status: int) -> int:
        """How many requests were answered with this status."""
        return (self.folder / "access.log").read_text().count(f'HTTP/1.1" {status} ')


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path).running() as server:
        yield server  # type: ignore[misc]


def source(url: str, **options: object) -> HTTPSource:
    return HTTPSource(url, **{"interval": 0.02, "timeout": 2.0, **options})  # type: ignore[arg-type]


def open_membership(made: HTTPSource, **options: object) -> Membership:
    return Membership(made, **{"backoff": (0.02, 0.1), **options})  # type: ignore[arg-type]


def test_it_keeps_the_rules(nginx: Nginx) -> None:
    check_source(
        lambda: source(nginx.url), nginx.put, spoil=lambda: nginx.put(b"<html>Busy</html>")
    )


def test_a_day(nginx: Nginx) -> None:
    before = sockets()
    nginx.put({"epoch": 7, "nodes": [{"id": "a", "weight": 1}, {"id": "b", "weight": 1}]})
    # What is refused, or a crash, changes nothing; then all is found again.
    with open_membership(source(nginx.url, timeout=0.5)) as membership:
        assert (membership.snapshot.epoch, [*membership.nodes]) == (7, ["a", "b"])
        nginx.put({"epoch": 8, "nodes": [{"id": n, "weight": 1} for n in "abc"]})
        until(lambda: [*membership.nodes] == ["a", "b", "c"], what="joined")
        nginx.put({"epoch": 9, "nodes": [{"id": "a", "weight": 1}, {"id": "b", "weight": 2}]})
        until(lambda: [*membership.nodes] == ["a", "b"], what="left")
        weights = membership.nodes.weights
        assert weights is not None
        assert weights.tolist() == [1, 2]
        for bad, message in [
            (b'{"epoch": 10, "nodes": [{"id": "a"', "is not JSON, or is cut off: line 1"),
            (b"<html>Sign in</html>", "is HTML or XML"),
            (b"[]", "there are no nodes"),
            (b'["a", "a"]', "repeats the id 'a'"),
            (b"", "is empty"),
        ]:
            refused = membership.stats.refused
            nginx.put(bad)
            until(lambda: membership.stats.refused > refused, what=message)  # noqa: B023
            until(lambda: message in str(membership.stats.error), what=message)  # noqa: B023
            assert membership.snapshot.epoch == 9
        nginx.kill()
        until(lambda: "Connection refused" in str(membership.stats.error))
        age = membership.age
        until(lambda: membership.age > age + 0.2)
        assert [*membership.nodes] == ["a", "b"]
        nginx.put({"epoch": 11, "nodes": ["b", "c"]})
        nginx.start()
        until(lambda: [*membership.nodes] == ["b", "c"])
        until(lambda: membership.stats.error is None)
        assert membership.snapshot.epoch == 11
        nginx.pause()  # its connections stay, and nothing comes
        until(lambda: membership.stats.error == "TimeoutError: no answer within 0.5 s")
        nginx.resume()
        until(lambda: membership.stats.error is None)
        threads = [each.name for each in threading.enumerate() if "rvh" in each.name]
        assert threads == [f"rvh-membership {nginx.url}"]
    assert not any("rvh-membership" in each.name for each in threading.enumerate())
    assert sockets() == before


def test_not_modified_is_confirmed(nginx: Nginx) -> None:
    nginx.put(["a", "b"], time.time() - 60)  # what is younger could change and keep its ETag
    with open_membership(source(nginx.url)) as membership:
        until(lambda: nginx.answered(304) >= 3, what="304")
        asked = nginx.answered(200)
        assert membership.age < 1
        assert (membership.snapshot.epoch, membership.stats.updates) == (1, 1)
        assert nginx.answered(200) == asked


def test_a_change_within_one_second_is_found(nginx: Nginx) -> None:
    """nginx makes the ETag of the second and the size, which are both the same here."""
    when = time.time() + 60  # of a server whose clock is ahead
    nginx.put(["a", "b"], when)
    with open_membership(source(nginx.url)) as membership:
        for second in "cdef":
            nginx.put(["a", second], when)
            until(lambda: [*membership.nodes] == ["a", second], what=second)  # noqa: B023


def test_two_memberships_agree(nginx: Nginx) -> None:
    nginx.put({"epoch": 3, "nodes": ["a", "b"]})
    with (
        open_membership(source(nginx.url)) as one,
        open_membership(source(nginx.url, interval=0.05)) as two,
    ):
        for epoch in range(4, 8):
            nginx.put({"epoch": epoch, "nodes": ["a", f"b{epoch}"]})
            until(lambda: one.snapshot.epoch == two.snapshot.epoch == epoch)  # noqa: B023
            assert one.snapshot.fingerprint == two.snapshot.fingerprint


def test_other_formats(nginx: Nginx) -> None:
    for name, text in {
        "nodes.csv": "id,zone\na,eu\nb,us\n",
        "nodes.toml": '[[nodes]]\nid = "a"\nzone = "eu"\n[[nodes]]\nid = "b"\nzone = "us"\n',
    }.items():
        (nginx.root / name).write_text(text)
        found = read_once(nginx.url.replace("nodes.json", name))
        assert found.members == (NodeMeta("a", zone="eu"), NodeMeta("b", zone="us"))
    (nginx.root / "list").write_text("id\na\n")
    assert len(read_once(f"http://127.0.0.1:{nginx.port}/list#format=csv")) == 1
    with pytest.raises(rvh.RVHError, match=r"it answered 404 Not Found$"):
        read_once(f"http://127.0.0.1:{nginx.port}/other.json")


def test_certificates(tmp_path: Path) -> None:
    port = free_port()
    subprocess.run(
        [needed("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    more = (
        f"server {{ listen 127.0.0.1:{port} ssl; root {tmp_path}/root; "
        f"ssl_certificate {tmp_path}/ca.pem; ssl_certificate_key {tmp_path}/key.pem; }}"
    )
    with Nginx(tmp_path, more).running() as nginx:
        nginx.put(["a"])  # type: ignore[attr-defined]
        url = f"https://localhost:{port}/nodes.json"
        with pytest.raises(rvh.RVHError, match="certificate verify failed"):
            read_once(url)
        assert len(read_once(f"{url}#ca={tmp_path}/ca.pem")) == 1
        (tmp_path / "wrong.pem").write_text("no certificate")
        with pytest.raises(rvh.RVHError, match=r"wrong\.pem: no certificate"):
            read_once(f"{url}#ca={tmp_path}/wrong.pem")
        with pytest.raises(rvh.RVHError, match="No such file"):
            read_once(f"{url}#ca={tmp_path}/none.pem")


def test_the_page(nginx: Nginx) -> None:
    real = f"http://127.0.0.1:{nginx.port}"
    assert run_page("how-to/membership/http.md", nginx.root, {"http://127.0.0.1:8000": real}) == 4


# -- answers that are not as they should be ---------------------------------------------------


#: a small answer that is a large one when it is unpacked
BOMB = gzip.compress(bytes(100_000), mtime=0)


def give(status: int, data: bytes, **headers: str) -> Callable[[Handler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.answer(status, data, named)


@pytest.mark.parametrize(
    ("status", "data", "headers", "message"),
    [
        (500, b"boom\nat line 3", {}, "it answered 500 Internal Server Error: 'boom'"),
        (503, b"<html>", {}, "it answered 503 Service Unavailable$"),
        (401, b"", {}, "it answered 401 Unauthorized$"),
        (304, b"", {}, "it answered 304 Not Modified$"),
        (204, b"", {}, "it answered 204 No Content$"),
        (302, b"", {"Location": "https://me:hidden@sso/login?state=hidden"},
         r"302 Found, to 'https://sso/login\?state=...': name the URL"),
        (200, b"<!doctype html>", {"Content_Type": "text/html"}, "nodes.csv is HTML or XML"),
        (200, b"xx", {"Content_Encoding": "gzip"}, "says that it is gzip, and is not"),
        (200, b"x", {"Content_Encoding": "gzip, gzip"}, "packed as 'gzip, gzip': only gzip was"),
        (200, b"x", {"Content_Encoding": "br"}, "packed as 'br': only gzip was asked for"),
        (200, BOMB, {"Content_Encoding": "gzip"}, "more than 5000 bytes"),
        (200, bytes(100_000), {}, "more than 5000 bytes"),
        (200, BOMB[:15], {"Content_Encoding": "gzip"}, "its gzip has no end"),
        (200, b'["a"]', {"Content_Length": "9"}, "peer closed connection"),
    ],
)  # fmt: skip
def test_answers_that_cannot_be_used(
    status: int, data: bytes, headers: dict[str, str], message: str
) -> None:
    def answer(request: Handler) -> None:
        give(status, data, **headers)(request)
        request.close_connection = True

    with answering(answer) as url, pytest.raises(rvh.RVHError, match=message) as caught:
        read_once(source(f"{url}/nodes.csv", max_bytes=5000))
    assert "hidden" not in str(caught.value)


def test_a_body_that_drips_has_a_deadline() -> None:
    def drip(request: Handler) -> None:
        request.begin()
        while True:
            request.chunk(b" ")
            time.sleep(0.02)

    with answering(drip) as url, pytest.raises(rvh.RVHError, match=r"no answer within 0\.3 s"):
        read_once(source(url, timeout=0.3))


def test_an_outage_of_errors_is_no_end() -> None:
    """Scenario 7: the snapshot stays, its age grows, and it comes back."""
    answers = [give(200, b'["a", "b"]', ETag='"1"')]
    with (
        answering(lambda request: answers[-1](request)) as url,
        open_membership(source(url)) as membership,
    ):
        for status in (500, 502, 429):
            answers.append(give(status, b""))
            until(lambda: f"answered {status}" in str(membership.stats.error))  # noqa: B023
        assert not membership.stats.connected
        assert [*membership.nodes] == ["a", "b"]
        answers.append(give(200, b'["a", "b"]', ETag='"2"'))
        until(lambda: membership.stats.error is None)
        assert (membership.snapshot.epoch, membership.stats.updates) == (1, 1)


# -- secrets -----------------------------------------------------------------------------------


def test_who_asks(tmp_path: Path) -> None:
    seen: list[dict[str, str | None]] = []

    def look(request: Handler) -> None:
        seen.append({"path": request.path, **request.headers})
        request.answer(200, b'["a"]')

    path = tmp_path / "token"
    path.write_text("first\n")
    with answering(look) as url:
        url += "/p?q=hidden"
        for made, header, value in [
            (source(url.replace("//", "//m:hid%40@")), "Authorization", "Basic bTpoaWRA"),
            (source(url, token="hidden"), "Authorization", "Bearer hidden"),
            (source(url, headers={"X-Key": "hidden"}), "X-Key", "hidden"),
        ]:  # fmt: skip
            read_once(made)
            assert seen[-1][header] == value
            assert seen[-1]["path"] == "/p?q=hidden"
            assert "hid" not in made.name + repr(made)
        with open_membership(open_source(f"{url}#token_file={path}&interval=0.02")):  # type: ignore[arg-type]
            assert seen[-1]["Authorization"] == "Bearer first"
            path.write_text("second\n")
            until(lambda: seen[-1]["Authorization"] == "Bearer second")


def test_what_is_wrong_in_a_url() -> None:
    for url, message in {
        "http://": "a host is missing",
        "http://h:0/": "the port is '0'",
        "https://h/p#intervall=1": "'intervall' is not known: there are interval",
        "https://h/p#interval=0": "interval is '0': a number of seconds above 0",
        "https://h/p#format=xml": "the format 'xml' is none of",
        "https://h/p#interval=1&interval=2": "given twice",
        "https://me:hidden@h/p#token_file=t": "pass one of",
        "http://a,b/": "it names one host",
    }.items():
        with pytest.raises(rvh.RVHError, match=message) as caught:
            open_source(url)
        assert "hidden" not in str(caught.value)
    for options, message in [
        ({"token": "hid\nden"}, "the token is empty or has a character that no header can have"),
        ({"headers": {"X": "hid\r\nden"}}, "the header X is empty or has a character"),
        ({"headers": {"X:": "hidden"}}, "the header 'X:' is not a header name"),
        ({"interval": 0}, "interval is 0: pass a number of seconds above 0"),
        ({"timeout": -1.0}, "timeout is -1.0"),
    ]:
        with pytest.raises(rvh.RVHError, match=message) as caught:
            HTTPSource("http://h/p", **options)  # type: ignore[arg-type]
        assert "hid" not in str(caught.value)


def test_a_document_of_its_own_words() -> None:
    document = {
        "epoch": 4,
        "nodes": [{"id": "a", "address": "10.0.0.1:80", "status": "draining"}, "b"],
    }
    with answering(give(200, json.dumps(document).encode())) as url:
        found = read_once(url)
    assert found.epoch == 4
    assert ([*found.nodes], found["a"].address) == (["b"], "10.0.0.1:80")
