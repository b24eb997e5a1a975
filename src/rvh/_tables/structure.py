"""A check that CSV and TSV can be read in one way only: quotes, line ends, NUL bytes.

pyarrow reads on where they cannot: text after a closing quote joins the value, a quote that is
never closed takes the rest of the file, a lone carriage return is the end of a row. So the bytes
pass here first. Most blocks have nothing to look at; of the others NumPy finds nearly all to be
fine, and a regular expression goes through the rest field by field.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rvh._tables import Quote
from rvh._tables.spelling import Spelling, as_keyword
from rvh.errors import RVHError, show

QUOTE, LF, CR = b'"\n\r'


class Structure:
    """Takes the bytes of a file in order and refuses what can be read in two ways.

    Parameters
    ----------
    name : str
        What errors call the file.
    delimiter : str
        What is between the values; for plain lines a newline.
    quote : Quote or None
    limit : int
        The longest row, in bytes.
    spelling : callable
        How messages name the options ``quote`` and ``encoding``.
    """

    def __init__(
        self,
        name: str,
        delimiter: str,
        quote: Quote | None,
        limit: int,
        spelling: Spelling = as_keyword,
    ) -> None:
        self._name = name
        self._delimiter = delimiter.encode()
        self._quote = quote
        self._limit = limit
        self._spelling = spelling
        self._no_quotes = f"say {spelling('quote', 'none')} where quotes mean nothing"
        #: the bytes since the start of the last field, and the line that it starts in
        self._rest = b""
        self._line = 1
        end = rb"(?:" + re.escape(self._delimiter) + rb"|\r?\n)"
        within = rb"[^\r\n" + re.escape(self._delimiter) + rb"]*+"
        quoted = rb'"[^"]*+(?:""[^"]*+)*+"'
        if quote is Quote.CSV:
            field = rb"(?:" + quoted + rb'|(?!")' + within + rb")"
        else:
            field = within if quote is Quote.NONE else rb'(?!")' + within
        #: whole fields, with what ends them; some at a time, because each takes memory. Not as a
        #: possessive repeat: before Python 3.11.5 that matches a part of a field that fails
        #: (https://github.com/python/cpython/issues/106052)
        self._fields = re.compile(rb"(?:" + field + end + rb"){0,1000}")
        self._quoted = re.compile(quoted)

    def feed(self, data: bytes) -> None:
        """Check more bytes.

        Raises
        ------
        RVHError
            With the line.
        """
        if b"\0" in data:
            newlines = _newlines(self._rest + data[: data.index(b"\0")])
            option = self._spelling("encoding", "")
            what = f"has a NUL byte: it is damaged, or UTF-16, which needs {option}"
            if self._delimiter == b"\n":
                what += ", or its lines end with NUL (tr '\\0' '\\n' < FILE)"
            raise self._error(newlines, what)
        quotes = QUOTE in data and self._quote is not Quote.NONE
        if quotes or self._rest.startswith(b'"') or CR in data or self._rest.endswith(b"\r"):
            data = self._rest + data
            done = self._end_at_a_glance(data)
            if done is None:
                done = self._end_field_by_field(data)
        else:
            done = 1 + max(data.rfind(b"\n"), data.rfind(self._delimiter))
            if done == 0:
                self._rest += data
                return
        self._line += _newlines(data[:done])
        self._rest = data[done:]
        if self._rest.startswith(b'"') and len(self._rest) > self._limit:
            size = f"{self._limit >> 20} MiB"
            raise self._error(0, f"has a quote that is not closed within {size}, the longest row")

    def end(self) -> None:
        """Check the last bytes: the file ends here."""
        closed = None
        if self._quote is Quote.CSV and self._rest.startswith(b'"'):
            closed = self._quoted.match(self._rest)
            if closed is None:
                raise self._error(
                    0,
                    "has a quote that is never closed, so the file ends within quotes: it is "
                    f"truncated, or {self._no_quotes}",
                )
        if b"\r" in self._rest[closed.end() if closed else 0 :]:
            raise self._lone_cr(0)

    def _end_at_a_glance(self, data: bytes) -> int | None:
        """The end of the whole fields in `data`; None where they need a closer look.

        It is where quotes open and close in turn, each next to a delimiter, a line end or, as
        two in a row, a quote. A quote within a value that has none around it breaks the order.
        """
        values = np.frombuffer(data, np.uint8)
        quotes: NDArray[np.intp] = np.flatnonzero(values == QUOTE)
        before = values[quotes - 1]
        if len(quotes) and quotes[0] == 0:
            before[0] = LF
        if self._quote is None and ((before == self._delimiter[0]) | (before == LF)).any():
            return None
        if self._quote is not Quote.CSV:
            quotes, before = quotes[:0], before[:0]
        opening, closing = quotes[::2], quotes[1::2]
        if len(closing) and closing[-1] == len(data) - 1:
            closing = closing[:-1]
        after = values[closing + 1]
        if not (self._ends(before[::2]).all() and (self._ends(after) | (after == CR)).all()):
            return None
        returns: NDArray[np.intp] = np.flatnonzero(values[:-1] == CR)
        lone = returns[values[returns + 1] != LF]
        if (np.searchsorted(quotes, lone) % 2 == 0).any():
            return None
        last = 1 + max(data.rfind(b"\n"), data.rfind(self._delimiter))
        if len(quotes) % 2 == 0 and (len(quotes) == 0 or quotes[-1] < last):
            return last
        # The last field is not whole, and the delimiters in it are its own: it starts with a
        # quote that does not follow on another.
        at = len(opening) - 1
        while opening[at] and data[opening[at] - 1] == QUOTE:
            at -= 1
        return int(opening[at])

    def _ends(self, values: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Mark the bytes that may stand beside a quote that opens or closes."""
        ends: NDArray[np.bool_] = values == self._delimiter[0]
        ends |= (values == LF) | (values == QUOTE)
        return ends

    def _end_field_by_field(self, data: bytes) -> int:
        """The end of the whole fields in `data`; raises where one is wrong."""
        done = 0
        while (match := self._fields.match(data, done)) and match.end() > done:
            done = match.end()
        rest = data[done : done + self._limit + 1]
        if rest.startswith(b'"') and self._quote is not Quote.NONE:
            if self._quote is None:
                raise self._error(
                    _newlines(data[:done]),
                    f"has a field that begins with a quote: {self._no_quotes}, or "
                    f"{self._spelling('quote', 'csv')} where they are around a value, as in CSV",
                )
            closed = self._quoted.match(rest)
            after = b"" if closed is None else rest[closed.end() : closed.end() + 2]
            if after not in (b"", b"\r"):
                assert closed is not None
                if after[:1] == b"\r":
                    raise self._lone_cr(_newlines(data[: done + closed.end()]))
                follows = rest[closed.end() : closed.end() + 20].decode(errors="replace")
                raise self._error(
                    _newlines(data[:done]),
                    f"has a value in quotes with text after the closing quote ({show(follows)}): "
                    f'a quote within quotes is written "", or {self._no_quotes}',
                )
        elif (at := rest.find(b"\r")) >= 0 and at < len(rest) - 1:
            raise self._lone_cr(_newlines(data[: done + at]))
        return done

    def _lone_cr(self, newlines: int) -> RVHError:
        what = (
            "has a carriage return that no newline follows: make them newlines "
            "(tr '\\r' '\\n' < FILE)"
        )
        if self._quote is Quote.CSV:
            what += ", or put a value that has one in quotes"
        return self._error(newlines, what)

    def _error(self, newlines: int, what: str) -> RVHError:
        return RVHError(f"{self._name}: line {self._line + newlines} {what}")


def _newlines(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == LF))
