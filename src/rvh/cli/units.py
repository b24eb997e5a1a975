"""Bytes, bandwidths and times, as options take them and as people read them."""

from __future__ import annotations

import re

from rvh.errors import RVHError, show

QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
#: the bytes of each unit
BYTES = {"B": 1} | {
    f"{prefix}{binary}B": (1024 if binary else 1000) ** power
    for power, prefix in enumerate("kMGTP", 1)
    for binary in ("", "i")
}
#: units that some write otherwise
BYTES |= {"KB": 1000, "KiB": 1024}
BITS = {f"{prefix}bit": 1000**power / 8 for power, prefix in enumerate(["", *"kMGT"])}
#: the seconds of each part of a time
TIMES = (("d", 86_400), ("h", 3600), ("min", 60))


def read_bytes(text: str, option: str) -> int:
    """The bytes that ``2048``, ``2kB`` or ``2KiB`` are.

    Examples
    --------
    >>> read_bytes("2048", "--size"), read_bytes("1.5kB", "--size"), read_bytes("2KiB", "--size")
    (2048, 1500, 2048)
    """
    match = QUANTITY.fullmatch(text)
    factor = None if match is None else BYTES.get(match[2] or "B")
    if match is None or factor is None:
        raise RVHError(f"{option} {show(text)} is no number of bytes: write as 2048, 2kB or 2KiB")
    size = float(match[1]) * factor if "." in match[1] else int(match[1]) * factor
    if size != int(size) or size >= 1 << 63:
        raise RVHError(f"{option} {show(text)} is no whole number of bytes below 2^63")
    return int(size)


def read_bandwidth(text: str, option: str) -> float:
    """The bytes a second that ``1Gbit/s`` or ``100MB/s`` are.

    Examples
    --------
    >>> read_bandwidth("1Gbit/s", "--bandwidth"), read_bandwidth("100MB/s", "--bandwidth")
    (125000000.0, 100000000.0)
    """
    match = QUANTITY.fullmatch(text.removesuffix("/s"))
    factor = None
    if match is not None and text.endswith("/s"):
        factor = BITS.get(match[2]) or BYTES.get(match[2])
    if match is None or factor is None:
        raise RVHError(
            f"{option} {show(text)} is no bandwidth: write a number and bit/s, kbit/s, Mbit/s, "
            "Gbit/s or Tbit/s, or B/s, kB/s, MB/s, MiB/s, GB/s and so on, as 1Gbit/s or 100MB/s"
        )
    bandwidth: float = float(match[1]) * factor
    if not 0 < bandwidth < 1e30:
        raise RVHError(f"{option} {show(text)}: a bandwidth is above 0")
    return bandwidth


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
