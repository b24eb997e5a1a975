"""Ids and figures as HTML, whoever chose them: small tables for notebooks, text for reports."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from typing import Any

__all__ = ["ROWS_MAX", "bdi", "counted", "escaped", "plain", "small_table"]

#: rows of a table in a notebook; the rest is counted
ROWS_MAX = 20
#: MathJax, which notebooks run over what they show, would read `$` in an id
UNTYPESET = "mathjax_ignore tex2jax_ignore"
#: categories of Unicode that are written as escapes: controls, lone surrogates, line separators
ESCAPED = ("Cc", "Cs", "Zl", "Zp")
CAPTION = "caption-side:top;text-align:left;white-space:nowrap"
LEFT, RIGHT = "text-align:left;overflow-wrap:anywhere", "text-align:right"


def plain(value: Any) -> str:
    r"""Return an id or label as text of one line; bytes outside UTF-8, controls as escapes.

    Examples
    --------
    >>> plain(b"caf\xc3\xa9"), plain(b"\xff"), plain("a\tb"), plain(7)
    ('café', '\\xff', 'a\\tb', '7')
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    if text.isprintable():  # most are
        return text
    return "".join(
        repr(letter)[1:-1] if unicodedata.category(letter) in ESCAPED else letter for letter in text
    )


def escaped(value: Any) -> str:
    """Return `plain` text that is not markup, between tags and in a quoted attribute."""
    return html.escape(plain(value))


def bdi(value: Any) -> str:
    """Return an id as an element of its own direction, so that it turns nothing beside it round.

    Examples
    --------
    >>> bdi("<b>")
    '<bdi>&lt;b&gt;</bdi>'
    """
    return f"<bdi>{escaped(value)}</bdi>"


def counted(number: int, noun: str) -> str:
    """Return a number of things, as ``1 node`` and ``1,000 nodes``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def small_table(
    caption: str, columns: Sequence[tuple[str, str, Sequence[Any]]], of: int | None = None
) -> str:
    """Return a table for a notebook, which gives it fonts and colours.

    Parameters
    ----------
    caption : str
        Text.
    columns : sequence of (name, format, values)
        A format of Python's, with which figures are written and stand to the right; empty for ids
        and labels. No more than `ROWS_MAX` values of each are shown.
    of : int, optional
        How many rows there are, if the columns do not have all of them.
    """
    head = "".join(
        f'<th scope="col" style="{RIGHT if form else LEFT}">{escaped(name)}</th>'
        for name, form, _ in columns
    )
    shown = [values[:ROWS_MAX] for _, _, values in columns]
    rows = [
        "".join(
            f'<td style="{RIGHT}">{value:{form}}</td>'
            if form
            else f'<td style="{LEFT}">{bdi(value)}</td>'
            for value, (_, form, _) in zip(row, columns, strict=True)
        )
        for row in zip(*shown, strict=True)
    ]
    left = (len(columns[0][2]) if of is None else of) - len(rows)
    if left:
        rows.append(f'<td colspan="{len(columns)}" style="{LEFT}">and {left:,} more</td>')
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<table class="{UNTYPESET}"><caption style="{CAPTION}">'
        f"{escaped(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
