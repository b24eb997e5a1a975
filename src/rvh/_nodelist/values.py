"""Values in node files: text that may stand for a number, and how an error shows a value."""

from __future__ import annotations

import re

from rvh.errors import show

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Untyped(str):
    """A value of CSV or TSV, which know text alone: it may stand for a number."""

    __slots__ = ()


def as_number(text: str) -> float | str:
    """The number that `text` writes in decimal digits; else the text, for others to refuse.

    Python's own `float` also takes ``4_2``, ``nan``, spaces and the digits of other scripts. And
    it makes 0 of ``1e-999``: a node that nobody meant to leave out would never be selected.

    Examples
    --------
    >>> as_number("0.5"), as_number("nan"), as_number("1e-999")
    (0.5, 'nan', '1e-999')
    """
    if not NUMBER.fullmatch(text):
        return text
    number = float(text)
    is_zero = re.split("[eE]", text)[0].strip("+-0.") == ""
    return number if number or is_zero else text


def shown(value: object) -> str:
    """A value of a file as an error shows it.

    Examples
    --------
    >>> shown(None), shown(""), shown("8"), shown(8)
    ('null', 'empty', "the text '8'", '8')
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {show(value)}" if value else "empty"
    return show(value)
