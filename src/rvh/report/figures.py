"""Figures as text: keys, bytes, shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rvh._quantities import bytes_text

__all__ = ["Unit", "change", "compact", "in_bytes", "in_keys", "share", "signed"]

MINUS = "\N{MINUS SIGN}"
PREFIXES = ("", "k", "M", "G", "T", "P", "E")


@dataclass(frozen=True)
class Unit:
    """What is counted, and how a number of it is written in full.

    Parameters
    ----------
    name : str
        ``"keys"`` or ``"bytes"``.
    write : callable
        From a number to text, with the unit where the name does not say it.
    short : callable
        The same in a few characters.
    """

    name: str
    write: Callable[[int], str]
    short: Callable[[int], str]

    def full(self, number: int) -> str:
        """Write a number with its unit."""
        return f"{self.write(number)} keys" if self.name == "keys" else self.write(number)

    def ticks(self, top: int) -> list[tuple[int, str]]:
        """Return five numbers from 0 to the top, a multiple of 4, and how an axis writes them."""
        power = _power(top)
        suffix = PREFIXES[power] if self.name == "keys" else f" {PREFIXES[power]}B"
        return [(0, "0")] + [
            (at, f"{at / 1000**power:g}{suffix}") for at in range(top // 4, top + 1, top // 4)
        ]


in_keys = Unit("keys", "{:,}".format, lambda number: compact(number))


def in_bytes(largest: int) -> Unit:
    """Return a unit in which numbers up to the largest are written with the same prefix.

    It is one of which the largest has 10 or more, so that the others keep their digits.

    Examples
    --------
    >>> unit = in_bytes(12_345_678)
    >>> unit.write(12_345_678), unit.write(50_000), unit.short(50_000)
    ('12.35 MB', '0.05 MB', '50.0 kB')
    """
    power = _power(largest // 10)

    def write(number: int) -> str:
        if power == 0:
            return f"{number:,} B"
        return f"{number / 1000**power:,.2f} {PREFIXES[power]}B"

    return Unit("bytes", write, bytes_text)


def compact(number: int) -> str:
    """Return a number in three digits and a prefix.

    Examples
    --------
    >>> compact(7), compact(1234), compact(999_999), compact(56_700_000)
    ('7', '1.23k', '1.00M', '56.7M')
    """
    number = round(float(f"{number:.3g}"))
    power = _power(number)
    digits = 2 - int(math.log10(number)) % 3 if power else 0
    return f"{number / 1000**power:.{digits}f}{PREFIXES[power]}"


def share(part: float, whole: float = 1.0) -> str:
    """Return a part of a whole in per cent; only nothing is 0%, and only all is 100%.

    Examples
    --------
    >>> share(1, 3), share(0), share(1, 70_000), share(9_999, 10_000), share(1, 0)
    ('33.3%', '0%', '0.001%', '>99.9%', '-')
    """
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return f"{percent:.1g}%" if percent >= 0.0001 else "<0.0001%"
    if 99.95 <= percent < 100:
        return ">99.9%"
    return f"{percent:.1f}%" if percent % 1 else f"{percent:.0f}%"


def change(before: int, after: int) -> float:
    """Return by what part of itself a load changes: infinity for one that was nothing."""
    if before == 0:
        return math.inf if after else 0.0
    return after / before - 1


def signed(part: float) -> str:
    """Return a `change` in per cent.

    Examples
    --------
    >>> signed(0.25), signed(change(0, 10)), signed(0)
    ('+25.0%', 'new', '±0%')
    """
    if part == math.inf:
        return "new"
    return f"{100 * part:+,.1f}%".replace("-", MINUS) if part else "±0%"


def _power(number: int) -> int:
    return 0 if number < 1000 else min(len(PREFIXES) - 1, int(math.log10(number) // 3))
