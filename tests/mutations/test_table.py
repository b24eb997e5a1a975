"""The table of mutations is true of the sources: `nox -s mutations` tries each of them."""

from __future__ import annotations

from mutations.table import SOURCE, TABLE


def test_each_text_is_found_once() -> None:
    assert [
        (mutation.file, mutation.breaks, mutation.text)
        for mutation in TABLE
        if (SOURCE / mutation.file).read_text("utf-8").count(mutation.text) != 1
    ] == []
