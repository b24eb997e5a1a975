"""Bytes and times as people read them, on a terminal and in a report."""

from __future__ import annotations

__all__ = ["bytes_text", "time_text"]

#: the seconds of each part of a time
TIMES = (("d", 86_400), ("h", 3600), ("min", 60))


def bytes_text(size: float) -> str:
    """A number of bytes in three digits.

    Examples
    --------
    >>> bytes_text(999), bytes_text(1_234_567), bytes_text(99_960_000_000)
    ('999 B', '1.23 MB', '100 GB')
    """
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if abs(size) < 999.5 or unit == "PB":
            break
        size /= 1000
    return f"{size:.0f} B" if unit == "B" else f"{_three(size)} {unit}"


def time_text(seconds: float) -> str:
    """A time in three digits, or in whole minutes.

    Examples
    --------
    >>> time_text(0.01234), time_text(59.96), time_text(3725), time_text(200_000)
    ('0.0123 s', '60.0 s', '1 h 2 min', '2 d 8 h')
    """
    if seconds < 100:
        return f"{_three(seconds)} s"
    for at, (unit, size) in enumerate(TIMES):
        if seconds >= size:
            lower, step = TIMES[at + 1] if at + 1 < len(TIMES) else ("s", 1)
            whole = round(seconds / step) * step
            rest = whole % size // step
            return f"{whole // size:,} {unit}" + (f" {rest} {lower}" if rest else "")
    raise AssertionError(seconds)


def _three(number: float) -> str:
    text = f"{number:#.3g}"
    return f"{number:.0f}" if "e" in text else text.removesuffix(".")
