"""The report as a file: what is in it, that ids are text, how large it is."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from estimates import ESTIMATES, EVIL, estimate_of, few
from subprocesses import output

from rvh import NodeSet, RVHError, RVHTypeError
from rvh.migration import Migration
from rvh.report import write_report
from rvh.stable import StableSelector

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """The elements of a page, and the text of its headings and cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.open = text, []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.append((self.open[-1], data))

    def texts_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def written(folder: Path, estimate: Any, **options: Any) -> Page:
    path = folder / "report.html"
    write_report(estimate, path, **options)
    return Page(path.read_text("utf-8"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_nothing_takes_the_place_of_a_pipe_or_a_folder(tmp_path: Path) -> None:
    estimate = Migration(NodeSet(["a"]), NodeSet(["b"])).estimate(range(10))
    for path in (tmp_path, tmp_path / "no" / "report.html"):
        with pytest.raises(OSError, match=str(path)):
            write_report(estimate, path)
    assert os.listdir(tmp_path) == []
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        write_report(estimate, pipe)
        assert reader.communicate()[0].startswith(b"<!doctype html>")
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ESTIMATES)
def test_a_page_of_balanced_elements(tmp_path: Path, name: str) -> None:
    page = written(tmp_path, estimate_of(name), title="Leaving & going")
    assert page.texts_of("title") == page.texts_of("h1") == ["Leaving & going"]
    assert page.text.startswith("<!doctype html>\n")


@pytest.mark.parametrize("name", ESTIMATES)
def test_it_names_nothing_to_load(tmp_path: Path, name: str) -> None:
    page = written(tmp_path, estimate_of(name))
    named = [
        (tag, at, value)
        for tag, attributes in page.elements
        for at, value in attributes.items()
        if at in ("src", "href", "action", "data", "poster", "srcset", "xlink:href")
    ]
    assert named == [("link", "href", "data:,")]
    assert not re.search(r"url\(|@import|https?://", page.text)
    assert not [tag for tag, attributes in page.elements if "style" in attributes]


def test_the_policy_allows_its_style_and_script_alone(tmp_path: Path) -> None:
    page = written(tmp_path, few())
    (policy,) = (
        attributes["content"] or ""
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(rule) == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_ids_and_titles_are_text(tmp_path: Path) -> None:
    title = "</title><script>alert(3)</script>"
    page = written(tmp_path, estimate_of("odd"), title=title)
    assert page.texts_of("h1") == [title]
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not {"img", "i", "b"} & {tag for tag, _ in page.elements}
    names = page.texts_of("bdi")
    assert {node for node in EVIL if isinstance(node, str)} | {"\\xff\\x00\\n", "left"} <= {*names}


def test_a_thousand_nodes_in_less_than_two_megabytes(tmp_path: Path) -> None:
    page = written(tmp_path, estimate_of("many"))
    assert len(page.text.encode()) < 2_000_000
    rows = [text for text in page.texts_of("bdi") if text.startswith("cache-")]
    assert len({*rows}) == 1000


def test_ten_thousand_nodes_have_a_page_of_the_same_size(tmp_path: Path) -> None:
    nodes = [f"node{n}" for n in range(10_000)]
    migration = Migration(StableSelector(nodes), StableSelector(nodes[:-1]))
    page = written(tmp_path, migration.estimate(range(20_000)))
    assert len(page.text.encode()) < 2_000_000
    assert any("1,000 of 10,000 nodes" in text for text in page.texts_of("p"))


def test_the_headline(tmp_path: Path) -> None:
    estimate = few()
    page = written(tmp_path, estimate, bandwidth=1000)
    text = page.text
    assert f"{estimate.moved_copies:,} of 3,000 keys" in text
    assert f"the least for these loads: {estimate.minimum_copies / 3000:.1%}" in text
    assert "at 1.00 kB/s in all" in text
    assert "<h2>Step by step</h2>" in text
    assert "<h2>What each zone holds</h2>" in text


def test_what_is_not_known_is_not_there(tmp_path: Path) -> None:
    nodes = ["a", "b"]
    text = written(tmp_path, Migration(NodeSet(nodes), NodeSet(nodes)).estimate(range(10))).text
    assert "Nothing moves." in text
    for word in ("Bytes that move", "Time to copy", "Before you begin", "Step by step"):
        assert word not in text


def test_remarks_stand_in_it(tmp_path: Path) -> None:
    page = written(tmp_path, estimate_of("odd"))
    assert estimate_of("odd").remarks
    assert page.texts_of("li") == list(estimate_of("odd").remarks)


def test_replicas_and_a_sample(tmp_path: Path) -> None:
    nodes = ["a", "b", "c", "d"]
    migration = Migration(NodeSet(nodes[:3]), NodeSet(nodes), 2)
    estimate = migration.estimate(sample=500, total=10_000)
    text = written(tmp_path, estimate).text
    assert "Copies that move" in text
    assert "A sample of 500 keys stands for them." in text
    assert f"± {round(estimate.moved_copies_error or 0):,}" in text


def test_the_same_estimate_makes_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path, few()).text == written(tmp_path, few()).text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old one")
    with pytest.raises(RVHError, match="bandwidth is -1"):
        write_report(few(), path, bandwidth=-1)
    assert path.read_text() == "the old one"
    write_report(few(), str(path))
    assert os.listdir(tmp_path) == ["report.html"]


def test_what_is_no_estimate(tmp_path: Path) -> None:
    with pytest.raises(RVHTypeError, match="estimate is of type dict"):
        write_report({}, tmp_path / "report.html")  # type: ignore[arg-type]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(few(), tmp_path / "nowhere" / "report.html")


def test_the_import_of_migrations_does_not_load_it() -> None:
    code = "import sys, rvh.migration; print([m for m in sys.modules if 'report' in m])"
    assert output(code, "-W", "ignore") == "[]\n"
